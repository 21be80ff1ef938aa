"""The program itself, started as a newcomer starts it, and what a refusal must look like."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import doubles

# One quick case of the scripted double.
FAKE = (
    *("--engine", "process", "--runtimes", "fake", "--models", doubles.MODEL),
    *("--quick", "--launches", "1", "--option", "fake.latency_ns=50000"),
)


def environment(place: Path, root: Path = doubles.ROOT, **more: str) -> dict[str, str]:
    """Lock, cache, models and results of a test lie in its own folder."""
    own = {"PYTHONPATH": str(root), "TMPDIR": str(place), "INFEROMETER_CACHE": str(place / "cache")}
    return {**os.environ, **own, "INFEROMETER_MODELS": str(place / "models"), **more}


def inferometer(
    place: Path, *words: str, root: Path = doubles.ROOT, timeout_s: float = 60.0, **more: str
) -> subprocess.CompletedProcess[str]:
    """One command in a folder; ``more`` are environment variables. No test waits long for it."""
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *words],
        cwd=place,
        env=environment(place, root, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def refused(done: subprocess.CompletedProcess[str], *texts: str) -> None:
    """Exit status 2, nothing on standard output, one line on standard error that holds the texts."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("inferometer: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for text in texts:
        assert text in done.stderr


def measured(done: subprocess.CompletedProcess[str]) -> None:
    """A bench that went well."""
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr

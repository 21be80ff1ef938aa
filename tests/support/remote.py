"""The program towards a board over ssh, and what an interrupted trial may have left there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from orchestrator.catalog import suite_root
from tests.support.boards import Board

QUICK = ("--runtimes", "fake", "--models", "digits-cnn", "--quick")
PLACES = (Path("/dev/shm"), Path("/tmp"))  # where telemetry of a trial may lie


def start(pi: Board, folder: Path, *words: str | Path, suite: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *map(str, words)],
        cwd=suite or suite_root(),
        env={**pi.environment(), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def bench(
    pi: Board, folder: Path, *words: str | Path, host: str | None = None, suite: Path | None = None
) -> Any:
    """(exit status, standard error, summary or None) of a bench on the board."""
    results = folder / "run"
    order = ("bench", "--host", host or pi.address, "--results", results, *QUICK, *words)
    with start(pi, folder, *order, suite=suite) as child:
        _, told = child.communicate()
    summary = results / "summary.json"
    return child.returncode, told, json.loads(summary.read_bytes()) if summary.exists() else None


def left(pi: Board) -> list[str]:
    """What an interrupted trial may have left there: containers, output volumes, folders, programs."""
    found = pi.run("ps", "-a", "--format", "{{.Names}}").split()
    found += [name for name in pi.run("volume", "ls", "-q").split() if "output" in name]
    found += [str(path) for place in PLACES for path in place.glob("inferometer.??????")]
    return found + [" ".join(words) for words in telemetry()]


def telemetry() -> list[Sequence[str]]:
    """Telemetry programs that came over ssh and still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(word.endswith(".pyz") for word in process.cmdline()):
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found

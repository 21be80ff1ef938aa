"""The telemetry program beside a runner on this machine, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import orchestrator
from orchestrator.engines.launch import Watch
from orchestrator.measurement import Line, parse_lines

PROGRAM = Path(orchestrator.__file__).parent / "telemetry"
# -S -E -s: no site packages, no user settings: it starts faster and stays small.
PYTHON_OPTIONS = ("-S", "-E", "-s")
_ANSWER_S = 20.0  # a source that does not answer is left out, not waited for


def arguments(pid: int, watch: Watch) -> list[str]:
    """The program's arguments."""
    chosen = ["--sources", ",".join(watch.sources)] if watch.sources else []
    chosen += ["--cores", ",".join(map(str, watch.cores))] if watch.cores else []
    chosen += ["--blocks", str(watch.block_s)] if watch.block_s else []
    return ["--pid", str(pid), "--interval", str(watch.interval_s), *chosen]


def start(pid: int, watch: Watch, path: Path) -> subprocess.Popen[bytes]:
    """A telemetry process that watches a host pid and writes JSON Lines to ``path``."""
    command = [sys.executable, *PYTHON_OPTIONS, str(PROGRAM), *arguments(pid, watch)]
    with path.open("wb") as stream:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.DEVNULL)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Close its standard input, which ends it; kill it if it does not listen."""
    assert child.stdin
    child.stdin.close()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def observe(pid: int, watch: Watch, path: Path) -> Callable[[], None]:
    """Start; the returned call stops."""
    child = start(pid, watch, path)
    return lambda: stop(child)


def once(sources: Sequence[str]) -> list[str]:
    """The program's arguments for one reading of each source."""
    return ["--once", "--sources", ",".join(sources)]


def sense(sources: Sequence[str]) -> list[Line]:
    """One reading of each source on this machine; of those that do not answer in time, none."""
    command = [sys.executable, *PYTHON_OPTIONS, str(PROGRAM), *once(sources)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_ANSWER_S,
        )
    except subprocess.TimeoutExpired as late:
        return [*parse_lines(late.stdout or b"")]
    return [*parse_lines(done.stdout)]

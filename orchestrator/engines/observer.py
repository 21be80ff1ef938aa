"""The telemetry program beside a runner on this machine, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import orchestrator

PROGRAM = Path(orchestrator.__file__).parent / "telemetry"
# -S -E -s: no site packages, no user settings: it starts faster and stays small.
PYTHON_OPTIONS = ("-S", "-E", "-s")


def arguments(pid: int, interval_s: float, sources: Sequence[str], cores: Sequence[int] = ()) -> list[str]:
    """The program's arguments; no ``sources``: all; no ``cores``: any."""
    chosen = ["--sources", ",".join(sources)] if sources else []
    chosen += ["--cores", ",".join(map(str, cores))] if cores else []
    return ["--pid", str(pid), "--interval", str(interval_s), *chosen]


def start(
    pid: int, interval_s: float, sources: Sequence[str], path: Path, cores: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """A telemetry process that watches a host pid and writes JSON Lines to ``path``."""
    command = [sys.executable, *PYTHON_OPTIONS, str(PROGRAM), *arguments(pid, interval_s, sources, cores)]
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


def observe(
    pid: int, interval_s: float, sources: Sequence[str], path: Path, cores: Sequence[int] = ()
) -> Callable[[], None]:
    """Start; the returned call stops."""
    child = start(pid, interval_s, sources, path, cores)
    return lambda: stop(child)

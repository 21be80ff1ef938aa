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
    pid: int,
    interval_s: float,
    sources: Sequence[str],
    path: Path,
    cores: Sequence[int] = (),
    record: Path | None = None,
) -> subprocess.Popen[bytes]:
    """A telemetry process that watches a host pid and writes JSON Lines to ``path``.

    ``record``: a folder for what it reads, as it was.
    """
    command = _command(arguments(pid, interval_s, sources, cores))
    command += ["--record", str(record)] if record else []
    with path.open("wb") as stream:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.DEVNULL)


def follow(pid: int, interval_s: float, sources: Sequence[str]) -> subprocess.Popen[bytes]:
    """A telemetry process that watches a host pid and writes JSON Lines into its ``stdout``, a pipe.

    Its complaint, one line with status 2, is in its ``stderr``.
    """
    return subprocess.Popen(
        _command(arguments(pid, interval_s, sources)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, *PYTHON_OPTIONS, str(PROGRAM), *words]


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

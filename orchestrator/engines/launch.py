"""What every engine takes and gives: one launch of a runner, its streams caught, its end known."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from orchestrator.catalog import Runtime
from orchestrator.measurement import Line
from orchestrator.wire import MAX_LINE_BYTES, MAX_TRANSCRIPT_BYTES

STDOUT, STDERR = 1, 2
# A log is for reading: what a flooding runner writes beyond this is counted and dropped.
MAX_LOG_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Mount:
    """A host folder the runner may see; ``role`` names it in the container (``/data/<role>``).

    ``names``: the files it needs, for an engine that has to carry them; empty: all.
    """

    source: Path
    role: str
    writable: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Launch:
    """One fresh process or container. ``target`` comes from the engine's ``prepare``."""

    name: str
    target: str
    command: str
    request: bytes
    stdout: Path
    stderr: Path
    timeout_s: float
    mounts: tuple[Mount, ...] = ()
    cores: tuple[int, ...] = ()
    memory_bytes: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    accelerator: str = "cpu"
    init: bool = True  # in a container: an init as PID 1 before the runner, or the runner itself


class Handle(Protocol):
    """A runner that is alive."""

    pid: int  # on the host

    def signal(self, number: int) -> None:
        """Send a signal to the runner."""


@dataclass(frozen=True)
class Outcome:
    """How a launch ended; times are CLOCK_MONOTONIC in ns as the host saw them."""

    started_ns: int
    ended_ns: int
    exit_code: int | None = None
    signal: int | None = None
    oom_killed: bool = False
    timed_out: bool = False
    overflow: str | None = None  # stdout beyond the protocol's limits
    problem: str | None = None  # the engine could not launch


@dataclass(frozen=True)
class Target:
    """A runtime made ready: what to launch, and what provenance says of it."""

    runtime: str
    target: str
    digest: str | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class Watch:
    """How telemetry watches: no ``sources``: all; no ``cores``: any.

    ``block_s``: read and rest by turns of this length, to show what watching costs the watched.
    """

    interval_s: float = 1.0  # of sources that name none of their own
    sources: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()
    block_s: float | None = None


class Engine(Protocol):
    """Where runners run."""

    name: str

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        """Make the runtime's image or environment ready. Raises InferometerError with the fix."""

    def see(self, mount: Mount) -> str:
        """The path under which the runner sees a mount."""

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """Run to the end or to the timeout; leaves nothing behind, also when interrupted."""

    def observe(self, pid: int, watch: Watch, path: Path) -> Callable[[], None]:
        """Start telemetry beside a runner into ``path``; the returned call ends it."""

    def sense(self, sources: Sequence[str]) -> Sequence[Line]:
        """One telemetry reading of each source, where runners run; none of what does not answer."""

    def clean(self) -> list[str]:
        """Remove what a killed orchestrator left behind; returns the names."""


@dataclass(frozen=True)
class Limits:
    """What a runner may write, in bytes; of ``log`` the rest is dropped, the others end the launch."""

    line: int = MAX_LINE_BYTES
    transcript: int = MAX_TRANSCRIPT_BYTES
    log: int = MAX_LOG_BYTES


class Sink:
    """Writes a runner's two streams to files, within limits."""

    def __init__(self, stdout: Path, stderr: Path, limits: Limits = Limits()):
        self._limits = limits
        self._out: IO[bytes] = stdout.open("wb", buffering=0)
        self._err: IO[bytes] = stderr.open("wb", buffering=0)
        self._total = self._line = self._logged = self._dropped = 0
        self.overflow: str | None = None

    def write(self, stream: int, data: bytes) -> None:
        """Take bytes of stdout or stderr; sets ``overflow`` when stdout breaks its limits."""
        if stream == STDERR:
            room = max(0, self._limits.log - self._logged)
            self._err.write(data[:room])
            self._logged += len(data)
            self._dropped = max(0, self._logged - self._limits.log)
            return
        if self.overflow:
            return
        self._total += len(data)
        last = data.rfind(b"\n")
        self._line = self._line + len(data) if last < 0 else len(data) - last - 1
        if self._line > self._limits.line:
            self.overflow = f"a line of more than {self._limits.line} bytes on stdout"
        elif self._total > self._limits.transcript:
            self.overflow = f"more than {self._limits.transcript} bytes on stdout"
        else:
            self._out.write(data)

    def close(self) -> None:
        """Finish both files; says in the log what was dropped from it."""
        if self._dropped:
            self._err.write(f"\n[inferometer: {self._dropped} more bytes of stderr dropped]\n".encode())
        self._out.close()
        self._err.close()


def available_cores() -> tuple[int, ...]:
    """The cores this process may use, in order."""
    return tuple(sorted(os.sched_getaffinity(0)))

"""Recorded machines (tests/fixtures/sys) in which files may hold or raise something else, and time stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.telemetry.machine import Machine, read_file
from orchestrator.telemetry.reading import Reading

TREES = Path(__file__).parent.parent / "fixtures" / "sys"


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def machine(
    device: str | Path, files: Mapping[str, bytes | int] | None = None, now: Callable[[], int] | None = None
) -> Machine:
    """A tree by its name or path; ``files``: by the end of their path, what they hold or the errno they give.

    The mapping may change between reads.
    """

    def read(path: str) -> bytes:
        for end, what in (files or {}).items():
            if path.endswith(end):
                if isinstance(what, int):
                    raise OSError(what, os.strerror(what), path)
                return what
        return read_file(path)

    return Machine(str(TREES / device), read, now or Clock())


def said(readings: Sequence[Reading]) -> dict[str, float | str | None]:
    """``source -> value, or the reason for having none``."""
    return {r.channel.source: r.reason if r.value is None else r.value for r in readings}

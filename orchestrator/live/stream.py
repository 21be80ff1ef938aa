"""The telemetry program beside ourselves, and its lines as they come."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator, Sequence

from orchestrator.domain import InferometerError
from orchestrator.engines import observer
from orchestrator.engines.launch import Watch

_QUIET_S = 0.05  # between the sources of one tick; longer between ticks
_LONGEST_S = 0.25


class Stream:
    """Its lines in batches: what a tick says comes together. Leaving the context ends the program."""

    def __init__(self, interval_s: float, sources: Sequence[str]):
        self._child = observer.follow(os.getpid(), Watch(interval_s, tuple(sources)))

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *problem: object) -> None:
        observer.stop(self._child)
        for stream in (self._child.stdout, self._child.stderr):
            if stream:
                stream.close()

    def end(self) -> None:
        """Have it read once more, say its last line and go; ``batches`` then ends by itself."""
        if self._child.stdin:
            self._child.stdin.close()

    def batches(self) -> Iterator[list[str]]:
        """Whole lines, whenever it falls silent. Raises InferometerError with its complaint if it refuses."""
        rest, more = b"", True
        while more:
            data, more = self._burst()
            *whole, rest = (rest + data).split(b"\n")
            if whole:
                yield [line.decode() for line in whole]
        assert self._child.stderr
        complaint = self._child.stderr.read().decode().strip()
        if self._child.wait():
            last = complaint.splitlines()[-1] if complaint else f"exit status {self._child.returncode}"
            raise InferometerError(f"telemetry: {last.removeprefix('telemetry: ')}")

    def _burst(self) -> tuple[bytes, bool]:
        """What comes until it is quiet, and whether there may be more."""
        assert self._child.stdout
        pipe = self._child.stdout.fileno()
        data, until_s = os.read(pipe, 1 << 16), time.monotonic() + _LONGEST_S
        more = bool(data)
        while more and time.monotonic() < until_s and select.select([pipe], [], [], _QUIET_S)[0]:
            part = os.read(pipe, 1 << 16)
            data, more = data + part, bool(part)
        return data, more

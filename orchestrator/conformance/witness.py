"""Watches a running launch from outside: when its streams grow, and whether it goes when told to."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from orchestrator.conformance.evidence import read_lines
from orchestrator.engines.launch import Handle

GONE_WITHIN_S = 5.0
_MERCY_S = GONE_WITHIN_S + 1.0  # then SIGKILL, so that nobody waits for the launch's own timeout
_LOOK_S = 0.01


@dataclass(frozen=True)
class Terminate:
    """SIGTERM ``pause_s`` after the runner was seen close to its window, or after ``patience_s``."""

    pause_s: float
    patience_s: float


class Witness:
    """One launch's watcher; a thread, because the engine's launch blocks."""

    def __init__(self, stdout: Path, stderr: Path, terminate: Terminate | None):
        self._stdout, self._stderr, self._terminate = stdout, stderr, terminate
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = time.monotonic()
        self._near: float | None = None  # when the runner was seen close to its window
        self.grown_ns: list[int] = []
        self.signalled_ns: int | None = None

    def watch(self, handle: Handle) -> None:
        """Begin; the engine calls it when the runner lives."""
        self._thread = threading.Thread(target=self._look, args=(handle,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The launch is over."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _look(self, handle: Handle) -> None:
        size = 0
        while not self._over.wait(_LOOK_S):
            now = self._stdout.stat().st_size + self._stderr.stat().st_size
            if now != size:
                size = now
                self.grown_ns.append(time.monotonic_ns())
                self._approach()
            try:
                self._end(handle)
            except OSError:
                return  # it ended in this very moment

    def _approach(self) -> None:
        if self._terminate and self._near is None:
            marks = [line.message for line in read_lines(self._stdout.read_bytes()) if line.message]
            last = {("warmup", "end"), ("settle", "start"), ("measure", "start")}
            if any((message.get("name"), message.get("edge")) in last for message in marks):
                self._near = time.monotonic()

    def _end(self, handle: Handle) -> None:
        if self._terminate is None:
            return
        if self.signalled_ns is None:
            near = self._near is not None and time.monotonic() - self._near > self._terminate.pause_s
            if near or time.monotonic() - self._began > self._terminate.patience_s:
                self.signalled_ns = time.monotonic_ns()
                handle.signal(signal.SIGTERM)
        elif time.monotonic_ns() - self.signalled_ns > _MERCY_S * 1e9:
            handle.signal(signal.SIGKILL)

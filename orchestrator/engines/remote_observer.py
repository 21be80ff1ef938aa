"""The telemetry program beside a runner on a board: started there on its own, fetched at the end."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.engines import observer, remote_program
from orchestrator.engines.ssh import Broken, Link

_LATE_S = 1.0  # a command whose answer was not waited for may only be beginning there
# In memory where the board has such a place: writing to a card would be work beside the measurement.
_PLACE = "[ -w /dev/shm ] && echo /dev/shm || echo /tmp"
_OBSERVE = (
    "mkdir -m 700 %(folder)s 2>/dev/null; cd %(folder)s && [ -s pid ] || { [ -p stop ] || mkfifo stop; "
    # Opened for both, a pipe has no end: the program goes on when we are gone, and ends with the runner.
    "setsid python3 %(words)s <>stop >telemetry.jsonl 2>/dev/null & echo $! >pid; }"
)
_END = (
    "cd %s && p=$(cat pid) && kill -TERM $p 2>/dev/null; for i in $(seq 100); do "
    "grep -q '^State:.[^Z]' /proc/$p/status 2>/dev/null || break; sleep 0.05; done"
)
_COLLECT = f"{_END}; cat telemetry.jsonl"


class RemoteObserver:
    """Starts telemetry on a board; what it needs there is sent once."""

    def __init__(self, link: Link):
        self._link = link
        self._program: str | None = None
        self._place: str | None = None

    def bring(self) -> None:
        """Send what has not been sent. Raises Broken, InferometerError."""
        self._shelf()
        self._telemetry()

    def observe(self, arguments: Sequence[str], path: Path) -> Callable[[], None]:
        """Start; the returned call stops it and fetches its lines into ``path``, as far as that goes."""
        # Named here: what was started is found again, though the link breaks before there is an answer.
        folder = f"{self._shelf()}/inferometer.{secrets.token_hex(3)}"

        def remove_folder() -> None:
            with suppress(Broken, InferometerError):
                self._link.persist(lambda: self._link.run(f"{_END % folder}; rm -rf {folder}"))

        def collect() -> None:
            try:
                with suppress(Broken, InferometerError):
                    path.write_bytes(self._link.persist(lambda: self._link.run(_COLLECT % folder)))
            finally:
                remove_folder()

        words = [*observer.PYTHON_OPTIONS, self._telemetry(), *arguments]
        command = _OBSERVE % {"folder": folder, "words": " ".join(map(shlex.quote, words))}
        try:
            self._link.persist(lambda: self._link.run(command))
        except InferometerError:
            return remove_folder
        except BaseException:
            try:
                time.sleep(_LATE_S)
            finally:
                remove_folder()
            raise
        return collect

    def once(self, arguments: Sequence[str]) -> bytes:
        """What the program says that reads once and ends; nothing where it cannot run. Raises Broken."""
        try:
            words = shlex.join([*observer.PYTHON_OPTIONS, self._telemetry(), *arguments])
            return self._link.persist(lambda: self._link.run(f"python3 {words} 2>/dev/null"))
        except InferometerError:
            return b""

    def _shelf(self) -> str:
        """Where a trial's readings wait there."""
        if self._place is None:
            self._place = self._link.persist(lambda: self._link.run(_PLACE)).decode().strip()
        return self._place

    def _telemetry(self) -> str:
        """Where the program lies there, as one file."""
        if self._program is None:
            self._program = self._link.persist(lambda: remote_program.bring(self._link))
        return self._program

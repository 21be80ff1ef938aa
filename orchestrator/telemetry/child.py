"""A command that keeps running, and its lines as they come."""

import os
import subprocess

from .machine import CHUNK_BYTES


class Child:
    """Runs a command until it is closed. Raises OSError where it cannot be started."""

    def __init__(self, words: "list[str]") -> None:
        self._pipe, end = os.pipe()
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=end, stderr=subprocess.DEVNULL, close_fds=True
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(end)
        os.set_blocking(self._pipe, False)
        self._rest = b""

    def lines(self) -> "list[bytes] | None":
        """The complete lines since the last call, without waiting; None once it has ended and told all."""
        try:
            data = os.read(self._pipe, CHUNK_BYTES)
        except BlockingIOError:
            return []
        if not data:
            return None
        whole = (self._rest + data).split(b"\n")
        self._rest = whole.pop()[-CHUNK_BYTES:]  # what never ends its line must not fill the memory
        return whole

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._pipe)

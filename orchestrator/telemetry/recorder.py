"""Keeps what a machine gave: every file, command output and driver's answer as it was, and what each took.

Below the folder: ``sys-root/<path>``, ``commands/<words>`` and ``devices/<node>/<question>`` hold the last
that was read, ``reads.jsonl`` a line a read: ``path`` (a file has no ``sys-root/``), ``ns`` and ``error``,
the name of an errno or null. A board's owner sends it; tests then read it as if it were the board.
"""

import contextlib
import errno
import json
import os
import re

from .device import Device
from .machine import Machine, monotonic_ns, open_device, read_file, run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_BYTES = 1 << 20


class Recorder:
    """A ``read``, ``run`` and ``device`` for a :class:`Machine` that keep what the given ones return."""

    def __init__(
        self,
        folder: str,
        root: str,
        read: "Callable[[str], bytes]" = read_file,
        run: "Callable[[list[str], float], bytes]" = run_command,
        device: "Callable[[str], Device]" = open_device,
    ) -> None:
        self._folder, self._root = folder, root.rstrip("/")
        self._read, self._run, self._device = read, run, device

    def machine(self) -> Machine:
        """The machine below the root, recorded."""
        return Machine(self._root, self.read, run=self.run, device=self.device)

    def read(self, path: str) -> bytes:
        """As the read we stand for, with its errors."""
        below = path[len(self._root) + 1 :]
        return self._kept(below, "sys-root/" + below, lambda: self._read(path))

    def run(self, words: "list[str]", timeout_s: float) -> bytes:
        """As the run we stand for, with its errors."""
        name = "commands/" + file_name(words)
        return self._kept(name, name, lambda: self._run(words, timeout_s))

    def device(self, path: str) -> Device:
        """As the node we stand for; opening is noted where it fails."""
        name = "devices/" + path[len(self._root) + 1 :]
        try:
            return _Recorded(self._device(path), name, self)
        except OSError as problem:
            with contextlib.suppress(OSError):
                self._note({"path": name, "ns": 0, "error": _errno_name(problem)})
            raise

    def keep_answer(self, name: str, act: "Callable[[], bytes]") -> None:
        """Have a driver answer, and keep that. Raises OSError as ``act`` does."""
        self._kept(name, name, act)

    def _kept(self, name: str, path: str, act: "Callable[[], bytes]") -> bytes:
        t0_ns = monotonic_ns()
        error = None  # type: str | None
        data = b""
        try:
            data = act()
        except OSError as problem:
            error = _errno_name(problem)
            raise
        finally:
            took_ns = monotonic_ns() - t0_ns
            # Keeping is a guest here: what goes wrong with it is no error of the sensor.
            with contextlib.suppress(OSError):
                self._note({"path": name, "ns": took_ns, "error": error})
                if error is None:
                    self._keep(path, data)
        return data

    def _note(self, line: "dict[str, object]") -> None:
        self._write("reads.jsonl", json.dumps(line).encode("ascii") + b"\n", os.O_APPEND)

    def _keep(self, path: str, data: bytes) -> None:
        if ".." not in path.split("/"):  # a cgroup's path may lead out of its namespace
            self._write(path, data[:LIMIT_BYTES], os.O_TRUNC)

    def _write(self, path: str, data: bytes, how: int) -> None:
        path = "%s/%s" % (self._folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o600)
        try:
            os.write(handle, data)
        finally:
            os.close(handle)


class _Recorded(Device):
    """An open node whose answers are kept."""

    def __init__(self, device: Device, name: str, recorder: Recorder) -> None:
        self._device, self._name, self._recorder = device, name, recorder

    def ioctl(self, request: int, message: bytearray) -> None:
        # Its readable part is the question: a command, as a rule.
        words = re.findall(rb"[ -~]{4,}", bytes(message)) or [b"%x" % request]
        name = "%s/%s" % (self._name, file_name(words[0].decode("ascii").split() or ["blank"]))

        def act() -> bytes:
            self._device.ioctl(request, message)
            return bytes(message)

        self._recorder.keep_answer(name, act)

    def close(self) -> None:
        self._device.close()


def _errno_name(problem: OSError) -> str:
    return errno.errorcode.get(problem.errno or 0, "EIO")


def file_name(words: "list[str]") -> str:
    """A command's words as one name of a file: ``vcgencmd_measure_temp``."""
    text = "_".join([words[0].rpartition("/")[2]] + words[1:])
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in text)

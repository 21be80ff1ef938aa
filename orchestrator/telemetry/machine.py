"""The one door to the machine: files below a root, read by system calls, and the clock.

Files of sysfs are read by ``os.open`` and ``os.read`` alone: a driver may answer EAGAIN, which
Python's buffered files turn into a TypeError, into None or into an empty string.
"""

import errno
import os
import time
from _thread import allocate_lock

from .reading import Channel, Reading, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .device import Device

CHUNK_BYTES = 1 << 16
_importing = allocate_lock()  # of two threads that import from a zipapp, Python 3.6 gives one half a module
_REASONS = {
    errno.ENOENT: "no_sensor",
    errno.ENOTDIR: "no_sensor",
    errno.ENODEV: "no_sensor",
    errno.ENXIO: "no_sensor",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EAGAIN: "eagain",
    errno.ENODATA: "enodata",
    errno.ESRCH: "stale",
    errno.EOPNOTSUPP: "not_supported",
    errno.EINVAL: "not_supported",
    errno.ENOSYS: "not_supported",
    errno.ETIMEDOUT: "timeout",
}


def _monotonic_ns() -> int:
    return int(time.monotonic() * 1e9)


# CLOCK_MONOTONIC in ns. Python 3.6 has it as float seconds only: exact to 1 ns for 104 days up.
monotonic_ns = getattr(time, "monotonic_ns", _monotonic_ns)  # type: Callable[[], int]


def read_file(path: str) -> bytes:
    """The whole file. Raises OSError as the kernel gave it."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = chunk = os.read(handle, CHUNK_BYTES)
        while chunk:
            chunk = os.read(handle, CHUNK_BYTES)
            data += chunk
        return data
    finally:
        os.close(handle)


def run_command(words: "list[str]", timeout_s: float) -> bytes:
    """What a command wrote; see :func:`.command.run_command`, whose imports most machines need not pay."""
    with _importing:
        from .command import run_command

    return run_command(words, timeout_s)


def open_device(path: str) -> "Device":
    """A device node; see :class:`.device.Device`, which most machines need not load."""
    with _importing:
        from .device import Device

    return Device(path)


def reason_of(problem: OSError) -> str:
    """The word for an error of the kernel."""
    return _REASONS.get(problem.errno or 0, "io_error")


class Machine:
    """Files below ``root``; ``read`` takes a path and gives bytes or raises OSError.

    ``run`` takes a command's words and a time limit in seconds, and gives its standard output or raises
    OSError. ``device`` takes a path, too, and gives the node opened or raises OSError.
    """

    def __init__(
        self,
        root: str = "/",
        read: "Callable[[str], bytes]" = read_file,
        now: "Callable[[], int]" = monotonic_ns,
        run: "Callable[[list[str], float], bytes]" = run_command,
        device: "Callable[[str], Device]" = open_device,
    ) -> None:
        self.root, self.now, self.run = root.rstrip("/"), now, run
        self._read, self._device = read, device

    def read(self, path: str) -> bytes:
        """A file by its path below the root. Raises OSError."""
        return self._read("%s/%s" % (self.root, path))

    def device(self, path: str) -> "Device":
        """A device node by its path below the root, opened. Raises OSError."""
        return self._device("%s/%s" % (self.root, path))

    def text(self, path: str) -> str:
        """A file as one stripped line of text. Raises OSError."""
        return self.read(path).decode("utf-8", "replace").strip(" \t\r\n\0")

    def names(self, folder: str) -> "list[str]":
        """What a folder holds, in order; nothing when it is absent or closed to us."""
        try:
            return sorted(os.listdir("%s/%s" % (self.root, folder)))
        except OSError:
            return []

    def target(self, link: str) -> "str | None":
        """Where a symbolic link points, or None when there is none."""
        try:
            return os.readlink("%s/%s" % (self.root, link))
        except OSError:
            return None

    def readings(
        self, path: str, fields: "list[tuple[Channel, Callable[[bytes], float | str]]]"
    ) -> "list[Reading]":
        """Read a file once, stamped before and after; each parser makes one channel's reading of it."""
        t0_ns = self.now()
        data, reason = b"", None  # type: tuple[bytes, str | None]
        try:
            data = self.read(path)
        except OSError as problem:
            reason = reason_of(problem)
        t1_ns = self.now()
        return [
            absent(channel, reason, t0_ns, t1_ns) if reason else parsed(channel, parse, data, t0_ns, t1_ns)
            for channel, parse in fields
        ]

    def each(
        self, files: "list[tuple[str, Channel]]", parse: "Callable[[bytes], float | str]", none: Channel
    ) -> "list[Reading]":
        """One reading a file (path, channel), or one of ``none`` that says there is no sensor."""
        if not files:
            now_ns = self.now()
            return [absent(none, "no_sensor", now_ns, now_ns)]
        readings = []  # type: list[Reading]
        for path, channel in files:
            readings += self.readings(path, [(channel, parse)])
        return readings


def parsed(
    channel: Channel, parse: "Callable[[bytes], float | str]", data: bytes, t0_ns: int, t1_ns: int
) -> Reading:
    """A reading of what was read; what does not parse has the reason ``parse``."""
    try:
        return Reading(channel, parse(data), None, t0_ns, t1_ns)
    except Unavailable as problem:
        return absent(channel, problem.reason, t0_ns, t1_ns)
    except (ValueError, LookupError, OverflowError):
        return absent(channel, "parse", t0_ns, t1_ns)


def absent(channel: Channel, reason: str, t0_ns: int, t1_ns: int) -> Reading:
    """A reading without a value."""
    return Reading(channel, None, reason, t0_ns, t1_ns)

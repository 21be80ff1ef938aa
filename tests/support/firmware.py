"""A Raspberry Pi's driver and firmware behind ``/dev/vcio``, as far as questions of ``vcgencmd`` go.

Parses the message as raspberrypi/linux drivers/char/broadcom/vcio.c and the firmware's property interface
(github.com/raspberrypi/firmware/wiki/Mailbox-property-interface) do.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.telemetry.device import Device

GET_GENCMD_RESULT = 0x00030080
UNKNOWN = b'error=1 error_msg="Command not registered"'


class Firmware:
    """``said`` by command; ``refusals`` are error numbers by node, ``broken`` one of every question.

    ``spoil`` changes an answered message before the caller gets it.
    """

    def __init__(
        self,
        said: Mapping[str, bytes],
        refusals: Mapping[str, int] | None = None,
        broken: int = 0,
        spoil: Callable[[bytearray], None] = lambda message: None,
        error: int = 0,
    ) -> None:
        self.said, self.refusals, self.broken, self.spoil = said, refusals or {}, broken, spoil
        self.error = error
        self.opened: list[str] = []
        self.asked: list[str] = []
        self.closed = 0

    def device(self, path: str) -> Device:
        """What a machine's ``device`` is to be."""
        node = Path(path).name
        self.opened.append(node)
        if node in self.refusals:
            raise OSError(self.refusals[node], os.strerror(self.refusals[node]), path)
        return Node(self)

    def answer(self, message: bytearray) -> None:
        """The property list in ``message`` with answers in place. Raises OSError."""
        size, request = struct.unpack_from("<2I", message)
        assert size == len(message), "the driver would copy beyond the message"
        if size < 12 or request != 0:
            raise OSError(errno.EINVAL, "Invalid argument")
        at = 8
        while True:
            assert at + 4 <= size, "the list has no end"
            (tag,) = struct.unpack_from("<I", message, at)
            if tag == 0:
                break
            room, kind = struct.unpack_from("<2I", message, at + 4)
            assert at + 12 + room <= size - 4 and kind >> 31 == 0
            if tag == GET_GENCMD_RESULT:
                self._gencmd(message, at, room)
            at += 12 + (room + 3) // 4 * 4
        struct.pack_into("<I", message, 4, 1 << 31)

    def _gencmd(self, message: bytearray, at: int, room: int) -> None:
        begin, end = at + 16, at + 12 + room
        command = bytes(message[begin:end]).partition(b"\0")[0].decode("ascii")
        self.asked.append(command)
        text = self.said.get(command, UNKNOWN) + b"\0"
        if begin + len(text) > end:
            raise OSError(errno.EINVAL, "Invalid argument")  # what the driver makes of a failed list
        message[begin : begin + len(text)] = text
        struct.pack_into("<Ii", message, at + 8, 1 << 31 | len(text) + 4, self.error)


class Node(Device):
    """The opened node."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware

    def ioctl(self, request: int, message: bytearray) -> None:
        if request != 0xC0000000 | struct.calcsize("P") << 16 | 0x6400:
            raise OSError(errno.EINVAL, "Invalid argument")
        if self._firmware.broken:
            raise OSError(self._firmware.broken, os.strerror(self._firmware.broken))
        self._firmware.answer(message)
        self._firmware.spoil(message)

    def close(self) -> None:
        self._firmware.closed += 1

"""What ``vcgencmd`` prints, asked of a Raspberry Pi's firmware without starting it.

A process costs milliseconds of processor time a question, more than all of telemetry may; the one system
call that ``vcgencmd`` makes costs microseconds. It hands the driver a message of 32-bit words (github.com/
raspberrypi/utils, vcgencmd/vcgencmd.c; raspberrypi/linux, drivers/char/broadcom/vcio.c):

===== ================================== ==========================================
word  question                           answer
===== ================================== ==========================================
0     bytes of the message               the same
1     0                                  0x80000000: done
2     0x00030080, GET_GENCMD_RESULT      the same
3     bytes of the text                  the same
4     0                                  bit 31: answered; the rest a length
5     0                                  the command's error, 0 for none
6...  the command's words, NUL           what it says, NUL
last  0, the end of the list             the same
===== ================================== ==========================================

The length in word 4 is wrong in firmware before May 2025 (raspberrypi/firmware#1968) and not used.
"""

import re
import struct

from .machine import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .device import Device

# The first lets nothing else through than this; kernels before May 2026 have the second only.
NODES = ("dev/vcio_gencmd", "dev/vcio")
HEAD = struct.Struct("=5Ii")
# vcgencmd has 1024 or 4096 bytes of text. The longest answer here, pmic_read_adc's, has 910, and with a
# message longer than 1024 no other thread would run until the firmware has answered.
MESSAGE_BYTES = 1024
TEXT_BYTES = MESSAGE_BYTES - HEAD.size - 4
GET_GENCMD_RESULT = 0x00030080
DONE = ANSWERED = 1 << 31
TEXT = re.compile(rb"[\t\n\r -~]+")

TIMEOUT_S = 2.0


def request_number(pointer_bytes: int) -> int:
    """``_IOWR(100, 0, char *)`` of a process whose pointers have so many bytes."""
    return 3 << 30 | pointer_bytes << 16 | 100 << 8


REQUEST = request_number(struct.calcsize("P"))


class Vcio:
    """The firmware of a machine; the node is opened at the first question and stays open.

    Where there is no node, or it or the answer is not as above, the command ``vcgencmd`` is asked instead,
    from then on: a wrong belief costs time and never gives a wrong number. Which way it went shows in no
    reading, as both say the same.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._device = None  # type: Device | None
        self._by_command = False

    def ask(self, words: "list[str]") -> bytes:
        """What ``vcgencmd`` with these words writes to standard output, whatever its exit status.

        Raises OSError: PermissionError where every node there is refuses us, and what ``machine.run`` does.
        """
        if not self._by_command:
            self._device = self._device or self._opened()
        device = self._device  # closed by another thread, it is an error like any other
        if device:
            command = " ".join(words).encode("ascii")
            message = bytearray(question(command))
            try:
                device.ioctl(REQUEST, message)
                return printed(message, command)
            except (OSError, ValueError):
                self._by_command = True
                self.close()
        return self.machine.run(["vcgencmd"] + words, TIMEOUT_S)

    def close(self) -> None:
        """Give the node back."""
        if self._device:
            self._device.close()
            self._device = None

    def _opened(self) -> "Device | None":
        refusal = None  # type: PermissionError | None
        for node in NODES:
            try:
                return self.machine.device(node)
            except PermissionError as problem:
                refusal = problem
            except OSError:
                pass  # vcgencmd tries the next one, too
        if refusal:
            raise refusal
        self._by_command = True
        return None


def question(command: bytes) -> bytes:
    """The message that asks ``command``. Raises ValueError where it is too long."""
    if len(command) >= TEXT_BYTES:
        raise ValueError(command)
    head = HEAD.pack(MESSAGE_BYTES, 0, GET_GENCMD_RESULT, TEXT_BYTES, 0, 0)
    return (head + command).ljust(MESSAGE_BYTES, b"\0")


def printed(message: bytearray, command: bytes) -> bytes:
    """What ``vcgencmd`` prints of an answered message. Raises ValueError where it is none.

    A firmware that does not know the tag leaves the command in the text's place.
    """
    size, state, tag, room, answered, error = HEAD.unpack_from(message)
    text, end, _rest = bytes(message[HEAD.size : HEAD.size + TEXT_BYTES]).partition(b"\0")
    if (size, state, tag, room) != (MESSAGE_BYTES, DONE, GET_GENCMD_RESULT, TEXT_BYTES):
        raise ValueError("another message")
    if not answered & ANSWERED or text == command or not end or not TEXT.fullmatch(text):
        raise ValueError("no answer: %r" % text)
    return (b"vc_gencmd_read_response returned %d\n" % error if error else b"") + text + b"\n"

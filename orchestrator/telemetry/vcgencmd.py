"""What a Raspberry Pi's firmware says of itself: throttling, the real clock and the temperature.

The firmware, not the kernel, grants the clock: ``measure_clock arm`` is what runs, ``scaling_cur_freq``
what was asked for. Formats: github.com/raspberrypi/utils, vcgencmd, and the firmware's answers
``throttled=0x50005``, ``frequency(0)=1600020224``, ``temp=46.6'C``.
"""

import re

from .machine import Machine, absent, parsed, reason_of
from .reading import Channel, Reading
from .vcio import Vcio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Bits of ``vcgencmd.throttled``: what holds now; the same, shifted, tells what has held since boot.
UNDER_VOLTAGE = 1 << 0
FREQUENCY_CAPPED = 1 << 1
THROTTLED = 1 << 2
SOFT_TEMPERATURE_LIMIT = 1 << 3
LIVE_BITS = UNDER_VOLTAGE | FREQUENCY_CAPPED | THROTTLED | SOFT_TEMPERATURE_LIMIT
STICKY_SHIFT = 16
STICKY_BITS = LIVE_BITS << STICKY_SHIFT

BITS = Channel("vcgencmd.throttled", "host", "sampled", "bits", 0, 0xFFFFFFFF)
CLOCK = Channel("vcgencmd.clock_arm", "clock_domain", "sampled", "hz", 1, 1e10)
TEMPERATURE = Channel("vcgencmd.temperature", "cpu_package", "sampled", "c", -40, 125)

FIXES = {
    "permission": "sudo usermod -aG video $USER, then log in again",
    "no_sensor": "sudo apt-get install raspi-utils (libraspberrypi-bin before Debian 12) brings vcgencmd",
}
# Failures come where answers are expected; the second is that of older releases.
REFUSALS = (
    (b"Can't open device file", "permission"),
    (b"VCHI initialization failed", "permission"),
    (b'error_msg="Command not registered"', "not_supported"),
    (b"error=", "io_error"),
)


class Vcgencmd:
    """Readings of ``get_throttled``, ``measure_clock arm`` and ``measure_temp``, one question each."""

    fixes = FIXES
    slow = True

    def __init__(self, machine: Machine) -> None:
        self._firmware = Vcio(machine)

    def read(self) -> "list[Reading]":
        """Bits, hertz and degrees Celsius."""
        return (
            answers(self._firmware, ["get_throttled"], [(BITS, throttled)])
            + answers(self._firmware, ["measure_clock", "arm"], [(CLOCK, hertz)])
            + answers(self._firmware, ["measure_temp"], [(TEMPERATURE, celsius)])
        )

    def close(self) -> None:
        """Give the firmware's node back."""
        self._firmware.close()


def answers(
    firmware: Vcio, words: "list[str]", fields: "list[tuple[Channel, Callable[[bytes], float | str]]]"
) -> "list[Reading]":
    """Ask the firmware once, stamped before and after; each parser makes one channel's reading of it."""
    t0_ns = firmware.machine.now()
    data, reason = b"", None  # type: tuple[bytes, str | None]
    try:
        data = firmware.ask(words)
    except OSError as problem:
        reason = reason_of(problem)
    t1_ns = firmware.machine.now()
    reason = reason or next((word for mark, word in REFUSALS if mark in data), None)
    return [
        absent(channel, reason, t0_ns, t1_ns) if reason else parsed(channel, parse, data, t0_ns, t1_ns)
        for channel, parse in fields
    ]


def throttled(data: bytes) -> int:
    """The bits of ``throttled=0x50005``. Raises ValueError."""
    return int(_figure(rb"throttled=0x([0-9a-fA-F]+)", data), 16)


def hertz(data: bytes) -> int:
    """The clock of ``frequency(0)=1600020224``, whose index differs between boards. Raises ValueError."""
    return int(_figure(rb"frequency\(\d+\)=(\d+)", data))


def celsius(data: bytes) -> float:
    """The temperature of ``temp=46.6'C``. Raises ValueError."""
    return float(_figure(rb"temp=(-?\d+\.\d+)'C", data))


def _figure(form: bytes, data: bytes) -> bytes:
    found = re.fullmatch(form, data.strip())
    if not found:
        raise ValueError(data)
    return found.group(1)

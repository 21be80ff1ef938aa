"""Power of a Raspberry Pi 5's regulated rails, from its power management chip.

``vcgencmd pmic_read_adc`` prints currents and voltages that belong together by name, not by index:
``VDD_CORE_A current(7)=0.56259000A`` and ``VDD_CORE_V volt(15)=0.76798460V``. The sum of volts times
amperes over twelve rails leaves out what 5 V goes to directly: USB, HATs and NVMe. EXT5V, the board's
input, has no current, and BATT is the clock's cell; neither is counted.
"""

import re

from .machine import Machine
from .reading import Channel, Reading, Unavailable
from .vcgencmd import FIXES, answers
from .vcio import Vcio

# A running board cannot do with less, and its supply cannot give more.
SUM = Channel("rpi_pmic.sum", "soc_rails", "sampled", "w", 0.1, 30)
EXT5V = Channel("rpi_pmic.ext5v", "board_input", "sampled", "v", 1, 6)

RAILS = ("3V7_WL_SW", "3V3_SYS", "1V8_SYS", "DDR_VDD2", "DDR_VDDQ", "1V1_SYS") + (
    "0V8_SW",
    "VDD_CORE",
    "3V3_DAC",
    "3V3_ADC",
    "0V8_AON",
    "HDMI",
)
CURRENTS = frozenset(RAILS)
VOLTAGES = CURRENTS | {"EXT5V", "BATT"}
LINE = re.compile(r"\s*(\w+)_(?:A current\(\d+\)=(-?\d+\.\d+)A|V volt\(\d+\)=(-?\d+\.\d+)V)\s*", re.ASCII)


class RpiPmic:
    """Readings of one ``pmic_read_adc``: the sum in watts, and the input's volts."""

    fixes = dict(FIXES, not_supported="this board has no current sensor: put a meter into its supply")
    slow = True

    def __init__(self, machine: Machine) -> None:
        self._firmware = Vcio(machine)

    def read(self) -> "list[Reading]":
        """Two readings of one capture."""
        return answers(self._firmware, ["pmic_read_adc"], [(SUM, watts), (EXT5V, input_volts)])

    def close(self) -> None:
        """Give the firmware's node back."""
        self._firmware.close()


def watts(data: bytes) -> float:
    """The sum over the twelve rails, all or nothing.

    Raises ValueError for a rail that lacks a half, is unknown or comes twice, and for any other line;
    Unavailable ``out_of_range`` for a negative current or voltage.
    """
    currents, voltages = _halves(data)
    if set(currents) != CURRENTS or not CURRENTS <= set(voltages) <= VOLTAGES:
        raise ValueError("pairs missing or unknown: %s" % sorted(set(currents) ^ set(voltages)))
    return sum(voltages[rail] * currents[rail] for rail in RAILS)


def input_volts(data: bytes) -> float:
    """Volts at the board's input. Raises ValueError, or LookupError where it is not listed."""
    return _halves(data)[1]["EXT5V"]


def _halves(data: bytes) -> "tuple[dict[str, float], dict[str, float]]":
    """Amperes and volts by rail."""
    currents, voltages = {}, {}  # type: tuple[dict[str, float], dict[str, float]]
    for line in data.decode("ascii").splitlines():
        found = LINE.fullmatch(line)
        if not found:
            raise ValueError(line)
        rail, amperes, volts = found.groups()
        half, value = (currents, amperes) if volts is None else (voltages, volts)
        if rail in half:
            raise ValueError("%s twice" % rail)
        half[rail] = float(value)
        if half[rail] < 0:
            raise Unavailable("out_of_range")
    return currents, voltages

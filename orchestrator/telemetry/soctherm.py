"""How often a Jetson's hardware lowered its clocks because of its supply: hwmon's ``soctherm_oc``.

``oc1`` counts under-voltage, ``oc2`` average and ``oc3`` instantaneous over-current events since boot
(NVIDIA's Platform Power and Performance guide).
"""

from .machine import Machine
from .reading import Channel, Reading

FOLDER = "sys/class/hwmon"
CHIP = "soctherm_oc"
EVENTS = ("oc1", "oc2", "oc3")
NONE = Channel("soctherm", "host", "counter", "count")


class Soctherm:
    """Readings of ``oc*_event_cnt``."""

    fixes = {}  # type: dict[str, str]
    slow = False

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._files = [
            (
                "%s/%s/%s_event_cnt" % (FOLDER, chip, event),
                Channel("soctherm.%s" % event, "host", "counter", "count", low=0),
            )
            for chip in machine.names(FOLDER)
            if _name(machine, chip) == CHIP
            for event in EVENTS
        ]

    def read(self) -> "list[Reading]":
        """Three counters, or one reading that says there are none."""
        return self._machine.each(self._files, int, NONE)


def _name(machine: Machine, chip: str) -> "str | None":
    try:
        return machine.text("%s/%s/name" % (FOLDER, chip))
    except OSError:
        return None

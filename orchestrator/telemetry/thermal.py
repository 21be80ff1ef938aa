"""Temperatures of the kernel's thermal zones, named by their types.

A zone that cannot be read does not vanish: on some boards it answers EAGAIN for ever, and says so. The one
that is left out is a Jetson's PMIC-Die, for which the firmware makes up a constant 100 degrees.
"""

from .machine import Machine
from .reading import Channel, Reading

FOLDER = "sys/class/thermal"
LOW_C, HIGH_C = -40, 125
INVENTED = "PMIC-Die"
NONE = Channel("thermal", "thermal_zone", "sampled", "c")


class Thermal:
    """Readings of ``thermal_zone*/temp``; two zones of one type are told apart by the zone's number."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        names = [name for name in machine.names(FOLDER) if name.startswith("thermal_zone")]
        zones = [(name, _type(machine, name)) for name in names]
        types = [kind for _zone, kind in zones]
        self._zones = [
            (
                "%s/%s/temp" % (FOLDER, zone),
                Channel(
                    "thermal.%s" % (kind if types.count(kind) == 1 else "%s.%s" % (kind, zone[12:])),
                    "thermal_zone",
                    "sampled",
                    "c",
                    LOW_C,
                    HIGH_C,
                ),
            )
            for zone, kind in zones
            if kind != INVENTED
        ]

    def read(self) -> "list[Reading]":
        """One reading a zone, or one that says there is none."""
        return self._machine.each(self._zones, celsius, NONE)


def celsius(data: bytes) -> float:
    """Degrees Celsius of the kernel's millidegrees."""
    return int(data) / 1000.0


def _type(machine: Machine, zone: str) -> str:
    try:
        return machine.text("%s/%s/type" % (FOLDER, zone)) or zone
    except OSError:
        return zone

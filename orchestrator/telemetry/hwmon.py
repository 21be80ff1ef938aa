"""Temperatures of x86 processor packages from hwmon: many desktops have no thermal zone for them.

Chips are known by name, since their numbers move from boot to boot. Of each chip only the package's
value is read: one read a core would cost more and tell no more.
"""

from .machine import Machine
from .reading import Channel, Reading
from .thermal import HIGH_C, LOW_C, celsius

FOLDER = "sys/class/hwmon"
PACKAGE_LABELS = {"coretemp": "Package id", "k10temp": "Tctl", "zenpower": "Tdie"}
NONE = Channel("hwmon", "cpu_package", "sampled", "c")


class Hwmon:
    """Readings of the processor packages' ``temp*_input``."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._inputs = [
            (path, Channel("hwmon.%s" % name, "cpu_package", "sampled", "c", LOW_C, HIGH_C))
            for path, name in _inputs(machine)
        ]

    def read(self) -> "list[Reading]":
        """One reading a package, or one that says there is none."""
        return self._machine.each(self._inputs, celsius, NONE)


def _inputs(machine: Machine) -> "list[tuple[str, str]]":
    found = []
    for chip in machine.names(FOLDER):
        folder = "%s/%s" % (FOLDER, chip)
        try:
            wanted = PACKAGE_LABELS.get(machine.text(folder + "/name"))
        except OSError:
            continue
        for name in machine.names(folder) if wanted else []:
            if not (name.startswith("temp") and name.endswith("_label")):
                continue
            label = machine.text("%s/%s" % (folder, name))
            if label.startswith(wanted or ""):
                path = "%s/%s_input" % (folder, name[: -len("_label")])
                found.append((path, "%s.%s" % (machine.text(folder + "/name"), label.replace(" ", "_"))))
    return found

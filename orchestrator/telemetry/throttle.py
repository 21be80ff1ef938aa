"""How often heat throttled x86 cores and packages, as Intel's processors count it.

Files: ``sys/devices/system/cpu/cpu*/thermal_throttle/{core,package}_throttle_count`` (kernel:
arch/x86/kernel/cpu/mce/therm_throt.c). AMD's processors and virtual machines have none. A read wakes no
core: the counts are kept in memory.
"""

from .machine import Machine
from .reading import Channel, Reading

FOLDER = "sys/devices/system/cpu"
NONE = Channel("throttle", "cpu_package", "counter", "count")


class Throttle:
    """Readings of each CPU's own count, and of each package's once."""

    fixes = {}  # type: dict[str, str]
    slow = False

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._files = []  # type: list[tuple[str, Channel]]
        packages = []  # type: list[tuple[str, Channel]]
        known = set()
        for cpu in machine.names(FOLDER):
            if not (cpu.startswith("cpu") and cpu[3:].isdigit()):
                continue
            folder = "%s/%s/thermal_throttle" % (FOLDER, cpu)
            names = machine.names(folder)
            if "core_throttle_count" in names:
                path = folder + "/core_throttle_count"
                self._files.append((path, _channel("core_" + cpu[3:], "cpu_cores")))
            number = _package(machine, cpu)
            if "package_throttle_count" in names and number is not None and number not in known:
                known.add(number)
                path = folder + "/package_throttle_count"
                packages.append((path, _channel("package_" + number, "cpu_package")))
        self._files += packages

    def read(self) -> "list[Reading]":
        """One reading a file, or one that says there is none."""
        return self._machine.each(self._files, int, NONE)


def _channel(name: str, scope: str) -> Channel:
    return Channel("throttle.%s" % name, scope, "counter", "count", low=0)


def _package(machine: Machine, cpu: str) -> "str | None":
    try:
        return machine.text("%s/%s/topology/physical_package_id" % (FOLDER, cpu))
    except OSError:
        return None

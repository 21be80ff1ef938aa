"""Energy of x86 processor packages and their parts: RAPL, by way of the kernel's powercap zones.

Files: ``sys/class/powercap/intel-rapl:*/{name,energy_uj,max_energy_range_uj}``, on AMD under the same names
(kernel: Documentation/power/powercap/powercap.rst). A package holds its cores and uncore, and psys holds
packages: they are never added up. ``intel-rapl-mmio`` repeats a package through other registers.
"""

from .counter import SECOND_NS, Total
from .machine import Machine, absent, parsed, reason_of
from .reading import Channel, Reading, Unavailable

FOLDER = "sys/class/powercap"
CONTROLS = ("intel-rapl:", "intel-rapl-mmio:")
SCOPES = {
    "package": "cpu_package",
    "psys": "platform",
    "dram": "dram",
}  # core and uncore are parts of their package: each would cost a read and tell no more
# All of these draw power as long as the machine runs, and RAPL updates every 1 ms.
STILL_NS = SECOND_NS
MOST_UW = 5000 * 1000000  # more than any one zone draws
NONE = Channel("rapl", "cpu_package", "counter", "j")


class Rapl:
    """Joules of each zone since our first read of it, unwrapped: read once a minute at least."""

    fixes = {
        "permission": "sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj (until the next boot; "
        "root alone may read it since CVE-2020-8694, as fine readings leak secrets of other programs)"
    }
    slow = False

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._reason = "no_sensor"
        self._zones = []  # type: list[_Zone]
        known = set()
        for control in CONTROLS:
            for zone, name in self._named(control):
                kind, _, number = name.partition("-")
                if kind in SCOPES and name not in known:
                    known.add(name)
                    self._zones.append(_Zone(machine, "%s/%s" % (FOLDER, zone), name, kind))

    def read(self) -> "list[Reading]":
        """One reading a zone, or one that says there is none; a zone that stands still is ``stale``."""
        if not self._zones:
            now_ns = self._machine.now()
            return [absent(NONE, self._reason, now_ns, now_ns)]
        return [zone.read() for zone in self._zones]

    def _named(self, control: str) -> "list[tuple[str, str]]":
        """Zones of a control type with their names; parts of a package end in the package's number."""
        names = {}  # type: dict[str, str]
        for zone in self._machine.names(FOLDER):
            if not zone.startswith(control):
                continue
            try:
                name = self._machine.text("%s/%s/name" % (FOLDER, zone))
            except OSError as problem:
                self._reason = reason_of(problem)
                continue
            parent = names.get(zone.rpartition(":")[0])  # sorted before its parts
            names[zone] = "%s-%s" % (name, parent.partition("-")[2]) if parent else name
        return list(names.items())


class _Zone:
    def __init__(self, machine: Machine, folder: str, name: str, kind: str) -> None:
        self._machine = machine
        self._path = folder + "/energy_uj"
        self._channel = Channel("rapl.%s" % name, SCOPES[kind], "counter", "j", low=0)
        self._total = Total(None)
        self._reason = None  # type: str | None
        try:
            range_uj = int(machine.read(folder + "/max_energy_range_uj"))
        except OSError as problem:
            self._reason = reason_of(problem)
        except ValueError:
            self._reason = "parse"
        else:
            self._total = Total(range_uj, STILL_NS, MOST_UW)

    def read(self) -> Reading:
        t0_ns = self._machine.now()
        try:
            data = self._machine.read(self._path)
        except OSError as problem:
            return absent(self._channel, reason_of(problem), t0_ns, self._machine.now())
        t1_ns = self._machine.now()

        def joules(data: bytes) -> float:
            if self._reason:  # without its range a counter's total is unknown
                raise Unavailable(self._reason)
            return self._total.add(int(data), t1_ns) / 1e6

        return parsed(self._channel, joules, data, t0_ns, t1_ns)

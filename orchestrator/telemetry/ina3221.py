"""Power of a Jetson's rails, from its INA3221 monitors.

JetPack 4 (driver ``ina3221x``): ``iio:device*/rail_name_N`` and ``in_powerN_input`` in mW; a read can say
EAGAIN while the chip is in its triggered mode. JetPack 5 and 6 (driver ``ina3221``): ``hwmon*/inN_label``,
``inN_input`` in mV and ``currN_input`` in mA, N from 1 to 3; in7 is the sum of the shunt voltages and no
rail. There each read waits for a conversion (6.6 ms by default), so the voltage and the current of a rail
are read back to back, and rails other than the input at most once a second. The rails are parts of the
input's power: nothing here is added up.
"""

from .machine import Machine, absent, parsed, reason_of
from .reading import Channel, Reading, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DRIVERS = "sys/bus/i2c/drivers"
TOTALS = {"POM_5V_IN": "board_input", "VDD_IN": "module_input"}
UNUSED = "NC"
# A running board needs some power: triggered mode says 0, and that is no measurement.
LOW_TOTAL_W, HIGH_W = 0.1, 300
OTHERS_INTERVAL_NS = 1000000000
MILLISECOND_NS = 1000000
NONE = Channel("ina3221", "supply_rail", "sampled", "w")
UPDATE_INTERVAL = Channel("ina3221.update_interval", "supply_rail", "setting", "ns", low=0)
SAMPLES = Channel("ina3221.samples", "supply_rail", "setting", "number", low=1)


class Ina3221:
    """Readings of the rails: the input's each time, the others' at most once a second.

    The first read also tells how the driver averages: ``ina3221.update_interval`` and ``ina3221.samples``,
    which only hwmon has.
    """

    fixes = {}  # type: dict[str, str]
    slow = True

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        rails = _iio_rails(machine) + _hwmon_rails(machine)
        names = [rail.name for rail in rails]
        for rail in rails:
            rail.channel = rail_channel(
                "ina3221", rail.name if names.count(rail.name) == 1 else "%s.%s" % (rail.name, rail.chip)
            )
        self._totals = [rail for rail in rails if rail.name in TOTALS]
        self._others = [rail for rail in rails if rail.name not in TOTALS]
        self._others_next_ns = 0
        self._settings_of = rails[0].folder if rails else None

    def read(self) -> "list[Reading]":
        """One reading a rail that is due, or one that says there is none."""
        now_ns = self._machine.now()
        if not self._totals and not self._others:
            return [absent(NONE, "no_sensor", now_ns, now_ns)]
        readings = [self._power(rail) for rail in self._totals]
        if now_ns >= self._others_next_ns:
            self._others_next_ns = now_ns + OTHERS_INTERVAL_NS
            readings += [self._power(rail) for rail in self._others]
        if self._settings_of:
            folder, self._settings_of = self._settings_of, None
            for name, channel, parse in (
                ("update_interval", UPDATE_INTERVAL, _interval_ns),
                ("samples", SAMPLES, int),
            ):
                readings += self._machine.readings("%s/%s" % (folder, name), [(channel, parse)])
        return readings

    def _power(self, rail: "Rail") -> Reading:
        t0_ns = self._machine.now()
        try:
            files = [self._machine.read("%s/%s" % (rail.folder, file)) for file in rail.files]
        except OSError as problem:
            return absent(rail.channel, reason_of(problem), t0_ns, self._machine.now())
        t1_ns = self._machine.now()
        return parsed(rail.channel, rail.watts, b",".join(files), t0_ns, t1_ns)


class Rail:
    """Where a rail's power is read: ``watts`` parses what its files hold, joined by commas."""

    __slots__ = ("name", "chip", "folder", "files", "watts", "channel")

    def __init__(
        self, name: str, chip: str, folder: str, files: "list[str]", watts: "Callable[[bytes], float]"
    ) -> None:
        self.name, self.chip, self.folder, self.files, self.watts = name, chip, folder, files, watts
        self.channel = NONE


def rail_channel(family: str, name: str) -> Channel:
    """A rail's channel: what the board takes in all, or a part of it."""
    scope = TOTALS.get(name.partition(".")[0])
    low_w = LOW_TOTAL_W if scope else 0
    return Channel("%s.%s" % (family, name), scope or "supply_rail", "sampled", "w", low_w, HIGH_W)


def watts_of_power(data: bytes) -> float:
    """Watts of one file in mW. Raises ValueError."""
    return int(data) / 1000.0


def watts_of_halves(data: bytes) -> float:
    """Watts of a file in mV and one in mA. Raises ValueError, Unavailable for a negative half."""
    millivolts, milliamperes = [int(half) for half in data.split(b",")]
    if millivolts < 0 or milliamperes < 0:
        raise Unavailable("out_of_range")
    return millivolts * milliamperes / 1e6


def _interval_ns(data: bytes) -> int:
    return int(data) * MILLISECOND_NS


def _iio_rails(machine: Machine) -> "list[Rail]":
    rails = []
    for chip, folder in _folders(machine, "ina3221x", "", "iio:device"):
        for number in "012":
            name = _label(machine, "%s/rail_name_%s" % (folder, number))
            if name:
                rails.append(Rail(name, chip, folder, ["in_power%s_input" % number], watts_of_power))
    return rails


def _hwmon_rails(machine: Machine) -> "list[Rail]":
    rails = []
    for chip, folder in _folders(machine, "ina3221", "/hwmon", "hwmon"):
        for number in "123":
            name = _label(machine, "%s/in%s_label" % (folder, number))
            if name:
                files = ["in%s_input" % number, "curr%s_input" % number]
                rails.append(Rail(name, chip, folder, files, watts_of_halves))
    return rails


def _folders(machine: Machine, driver: str, below: str, start: str) -> "list[tuple[str, str]]":
    """Each chip of a driver with its folder of files."""
    return [
        (chip, "%s/%s/%s%s/%s" % (DRIVERS, driver, chip, below, name))
        for chip in machine.names("%s/%s" % (DRIVERS, driver))
        for name in machine.names("%s/%s/%s%s" % (DRIVERS, driver, chip, below))
        if name.startswith(start)
    ]


def _label(machine: Machine, path: str) -> "str | None":
    """A rail's name, or the file's where it refuses us; None where there is no rail."""
    try:
        name = machine.text(path)
    except OSError as problem:
        return None if reason_of(problem) == "no_sensor" else path.rpartition("/")[2]
    return None if name == UNUSED else name or None

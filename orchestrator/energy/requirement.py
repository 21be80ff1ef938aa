"""What each family of power sources needs before its figure means anything, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEAST_READINGS = 100  # in the measure window
LEAST_IDLE_READINGS = LEAST_READINGS // 2  # in each of the two idle windows
LEAST_COVERAGE = 0.95
MOST_INTERVALS = 3  # a longer gap between readings is unavailable

# Deadlines are missed and edges cut readings off: what is asked for holds so many more than the least.
_MARGIN = 1.05
_TICK_NS = 100_000_000  # where a specification says no interval


@dataclass(frozen=True)
class Family:
    """One kind of source: ``least_ns`` its shortest window, ``update_ns`` how often its value is renewed.

    ``gain`` is the relative standard error of its scale (k = 1), None where nobody vouches for the
    sensor as it is built in: the figure is then called uncalibrated.
    """

    label: str
    least_ns: int
    update_ns: int
    gain: float | None = None


# Shortest windows: the rules of MLPerf Power (300 s at 1 Hz for wall meters) and MLPerf Tiny (10 s), and the
# MLPerf Tiny measurements of arXiv 2206.10377; the boards' sensors lie between, as they give 5 to 10 Hz.
# Updates: Intel SDM volume 3B 15.10 (RAPL, about 1 ms), NVIDIA's NVML reference (energy, about 100 ms),
# the INA3221's default conversion of three rails (6.6 ms), the plugs' own 1 Hz; 0 where unknown, and the
# width of the read is then all there is to say. Gains: the INA3221's and INA2xx's data sheets give the
# converter's (0.25 to 1 %), not the shunt's on the board; NVIDIA gives 5 % for Fermi and Kepler only;
# Intel, Raspberry Pi and the plugs' makers give none for these values. So none is known.
FAMILIES = {
    "rapl": Family("RAPL", 10_000_000_000, 1_000_000),
    "perf_energy": Family("perf energy", 10_000_000_000, 1_000_000),
    "nvml": Family("NVML", 20_000_000_000, 100_000_000),
    "rpi_pmic": Family("PMIC", 30_000_000_000, 0),
    "ina3221": Family("INA3221", 30_000_000_000, 6_600_000),
    "tegrastats": Family("tegrastats", 30_000_000_000, 0),
    "ina2xx": Family("INA2xx", 30_000_000_000, 0),
    "shelly": Family("Shelly", 300_000_000_000, 1_000_000_000),
    "tasmota": Family("Tasmota", 300_000_000_000, 1_000_000_000),
}
# Of a family that is not listed nothing is known: it needs what the boards' own sensors need.
_UNKNOWN_LEAST_NS = 30_000_000_000


def family_of(source: str) -> Family:
    """The family of a source's name (``nvml.0.energy``); unknown ones get the boards' 30 s."""
    name = source.partition(".")[0]
    return FAMILIES.get(name) or Family(name, _UNKNOWN_LEAST_NS, 0)


def is_power(specification: str) -> bool:
    """Whether ``name[@interval_s][=argument]`` names a source of power or energy."""
    return specification.partition("=")[0].partition("@")[0] in FAMILIES


def attainable(specification: str, width_ns: int, interval_s: float = 1.0) -> str:
    """The specification with the interval that its source keeps where a read takes ``width_ns``.

    Telemetry doubles the interval of a source whose reads fill more than half of it. ``interval_s`` is the
    interval of one that says none.
    """
    head, equals, argument = specification.partition("=")
    name, _, seconds = head.partition("@")
    kept_s = float(seconds) if seconds else interval_s
    while 2 * width_ns > kept_s * 1e9:
        kept_s *= 2
    return f"{name}@{kept_s:g}{equals}{argument}"


def needed_window_ns(sources: Iterable[str], interval_ns: int = _TICK_NS) -> int:
    """How long a measure window must last so that each of these sources gives a figure; 0 without any.

    ``sources`` are specifications ``name[@interval_s][=argument]`` of which those of no power family are
    passed over; ``interval_ns`` is the interval of one that says none.
    """
    return max((_needed_ns(source, interval_ns) for source in sources), default=0)


def needed_idle_ns(sources: Iterable[str], interval_ns: int = _TICK_NS) -> int:
    """How long each of the two idle windows must last: half of the measure window.

    Both together then hold as much time and as many readings as the window itself, so that the idle level
    adds no more to the uncertainty of net energy than the window does, and the launch takes twice as long,
    not three times. Half of the least readings still tell how long the readings' memory is.
    """
    return -(-needed_window_ns(sources, interval_ns) // 2)


def _needed_ns(specification: str, interval_ns: int) -> int:
    name, _, seconds = specification.partition("=")[0].partition("@")
    family = FAMILIES.get(name.partition(".")[0])
    if family is None:
        return 0
    spacing_ns = round(float(seconds) * 1e9) if seconds else interval_ns
    return round(_MARGIN * max(family.least_ns, LEAST_READINGS * max(spacing_ns, family.update_ns)))

"""Whether a clock that the runner needed was below its target in a window.

A clock is judged only where it had a reason to be high: it is locked, or its governor promises the
maximum, or the runner kept the core busy. docs/adr/0011-heat.md has the whole reasoning.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.findings.readings import Points, Window, inside, since, when

FIRMWARE_CLOCK = "vcgencmd.clock_arm"  # what runs; cpufreq on such a board is only what was asked for
GPU_IDLE = 0x1  # nvml.h: nothing runs
# Of a promised clock a reading may differ by what its measurement does; of others, by what turbo does.
PROMISED_TOLERANCE, OWN_TOLERANCE = 0.05, 0.20
# A drop is two readings in a row; of a clock that is not promised also more than a moment of the window.
IN_A_ROW, LOW_SHARE = 2, 0.05
EARLY_SHARE, LEAST_EARLY, MOST_EARLY = 1 / 3, 3, 8  # readings that a window's own level is taken from
LEAST_OWN = LEAST_EARLY + IN_A_ROW
FULL_CORE, FULL_SHARED = 0.9, 0.8  # of a core: busy, alone on its clock or with others


@dataclass(frozen=True)
class Domain:
    """What shares one clock; ``max_hz`` is the highest limit ever read, as throttling lowers the limit."""

    name: str
    points: Points  # Hz
    max_hz: float | None = None
    is_promised: bool = False


@dataclass(frozen=True)
class _Reading:
    at_ns: float
    name: str
    hz: float
    full_hz: float  # what a ratio of 1 means

    @property
    def ratio(self) -> float:
        return self.hz / self.full_hz


def clock_drops(
    readings: Mapping[str, Points],
    window: Window,
    accelerator: str,
    cores: int,
    busy: float | None,
    boosts: bool,
) -> list[str]:
    """What fell, in a line each. ``busy``: how many of its ``cores`` the runner used; None: unknown.

    A GPU's clock counts where the runner was asked to use an ``accelerator``.
    """
    told = []
    domains = _processor(readings, boosts)
    for is_promised in (True, False):
        group = [domain for domain in domains if domain.is_promised is is_promised]
        # A locked clock that needs no turbo is kept by an idle core too.
        needed = len(group) if is_promised and not boosts else _needed(busy, cores, len(group))
        told += _judge(_slowest(group, needed, window), is_promised, window)
    for domain in _gpus(readings, window) if accelerator != "cpu" else ():
        told += _judge(_slowest([domain], 1, window), domain.is_promised, window)
    return told


def _processor(readings: Mapping[str, Points], boosts: bool) -> list[Domain]:
    domains = []
    for name, points in readings.items():
        if name.startswith("cpufreq.") and name.endswith(".current"):
            stem = name[: -len("current")]
            governors = {value for _, value in readings.get(f"{stem}governor", ())}
            full_hz, is_locked = _limits(readings, stem)
            is_promised = is_locked or (governors == {"performance"} and not boosts)
            domains.append(Domain(name, points, full_hz, is_promised and full_hz is not None))
    if FIRMWARE_CLOCK not in readings:
        return domains
    full_hz = max((domain.max_hz for domain in domains if domain.max_hz), default=None)
    is_promised = bool(domains) and all(domain.is_promised for domain in domains)
    return [Domain(FIRMWARE_CLOCK, readings[FIRMWARE_CLOCK], full_hz, is_promised)]


def _gpus(readings: Mapping[str, Points], window: Window) -> list[Domain]:
    """GPUs whose clock is locked, or does not follow demand while something runs."""
    domains = []
    for name, points in readings.items():
        if name.startswith("devfreq.") and name.endswith(".current"):
            full_hz, is_locked = _limits(readings, name[: -len("current")])
            if is_locked:  # else it follows a demand that is not read
                domains.append(Domain(name, points, full_hz, True))
        elif name.startswith("nvml.") and name.endswith(".clock_sm"):
            bits = readings.get(f"{name[: -len('clock_sm')]}throttle", ())
            running = [point for point in points if not _is_idle(bits, point[0])]
            domains.append(Domain(name, running))
    return domains


def _is_idle(bits: Points, at_ns: float) -> bool:
    """What the board's bits said last before this, or first after it."""
    place = bisect_right(bits, at_ns, key=lambda point: point[0])
    return bool(bits) and bool(bits[max(0, place - 1)][1] & GPU_IDLE)


def _limits(readings: Mapping[str, Points], stem: str) -> tuple[float | None, bool]:
    """(maximum in Hz or None, whether the minimum is the same)."""
    lowest, highest = (
        max((value for _, value in readings.get(f"{stem}{end}", ())), default=None) for end in ("min", "max")
    )
    return highest, highest is not None and lowest == highest


def _needed(busy: float | None, cores: int, domains: int) -> int:
    """How many of the clocks, fastest first, must be high because their cores are busy."""
    if busy is None:
        return 0
    if domains >= cores:
        return min(domains, int(busy + 1 - FULL_CORE))
    return domains if busy >= FULL_SHARED * cores else 0


def _slowest(group: Sequence[Domain], needed: int, window: Window) -> list[_Reading]:
    """At each tick the slowest of the ``needed`` fastest clocks: which cores are busy is not read."""
    found: list[_Reading] = []
    if not needed:
        return found
    points = sorted(
        (
            _Reading(at_ns, domain.name, hz, domain.max_hz or 1.0)
            for domain in group
            for at_ns, hz in inside(domain.points, window)
        ),
        key=lambda reading: reading.at_ns,
    )
    tick: dict[str, _Reading] = {}
    for reading in [*points, None]:
        if tick and (reading is None or reading.name in tick):
            rank = needed - (len(group) - len(tick))  # a missing one is taken for a fast one
            if rank > 0:
                ranked = sorted(tick.values(), key=lambda one: -one.ratio)
                found.append(ranked[rank - 1])
            tick = {}
        if reading is not None:
            tick[reading.name] = reading
    return found


def _judge(series: Sequence[_Reading], is_promised: bool, window: Window) -> list[str]:
    ratios = [reading.ratio for reading in series]
    if is_promised:
        limit, first, share = 1 - PROMISED_TOLERANCE, 0, 0.0
    elif len(series) >= LEAST_OWN:
        early = min(MOST_EARLY, max(LEAST_EARLY, int(len(ratios) * EARLY_SHARE)))
        limit, share = (1 - OWN_TOLERANCE) * max(ratios[:early]), LOW_SHARE
        # Before it was ever high it was only waking.
        first = next(index for index, ratio in enumerate(ratios) if ratio >= limit)
    else:
        return []
    low = [reading for reading in series[first:] if reading.ratio < limit]
    if not _lasts([ratio < limit for ratio in ratios[first:]]) or len(low) < share * len(series):
        return []
    worst = min(low, key=lambda reading: reading.ratio)
    return [
        f"{worst.name} at {worst.hz / 1e9:.2f} GHz {when(worst.at_ns, window)}; below the limit of "
        f"{limit * worst.full_hz / 1e9:.2f} GHz in {len(low)} of {len(series)} readings"
        f"{since(low[0].at_ns, window)}"
    ]


def _lasts(low: Sequence[bool]) -> bool:
    """Whether it is low in two readings in a row, or in the only one there is."""
    return low == [True] or any(one and other for one, other in zip(low, low[1:], strict=False))

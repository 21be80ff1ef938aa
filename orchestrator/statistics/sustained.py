"""How a launch holds its speed over a long window: minute by minute, latency beside clock and temperature.

Pure: raw latencies and raw telemetry lines in, a curve and one ratio out. The ratio is the last full
minute's median latency over the first full minute's: 1.25 means a quarter slower in the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from statistics import fmean
from typing import Any

from orchestrator.statistics.quantiles import median

MINUTE_NS = 60_000_000_000
_FIRMWARE_CLOCK = "vcgencmd.clock_arm"  # what runs; cpufreq on such a board is only what was asked for

Points = list[tuple[float, float]]  # when (ns) and the value


@dataclass(frozen=True)
class Minute:
    """One minute of the window; the last may be shorter. None: nothing was read, or no inference began."""

    minute: int  # from 1
    duration_ns: int
    iterations: int
    p50_ns: float | None
    clock_hz: float | None  # mean
    mean_c: float | None
    max_c: float | None


@dataclass(frozen=True)
class Sustained:
    """The curve; ``ratio`` of its last full minute to its first, or None with the ``reason``."""

    minutes: tuple[Minute, ...]
    ratio: float | None
    first_minute: int | None  # the two that the ratio compares
    last_minute: int | None
    clock_source: str | None
    temperature_source: str | None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def sustained(
    values_ns: Sequence[int],
    window: tuple[int, int],
    lines: Sequence[Mapping[str, Any]],
    accelerator: str = "cpu",
) -> Sustained:
    """The curve of a window.

    ``values_ns``: raw latencies in time order; ``window``: its start and end in ns of the runner's clock,
    of which the telemetry ``lines`` must be too (none where they are not). What the loop spends between
    inferences is taken to be the same for all. The clock is the GPU's where an ``accelerator`` is used;
    the temperature is the hottest sensor's that moved at all: some chips report a constant.
    """
    length_ns = window[1] - window[0]
    count = -(-length_ns // MINUTE_NS) if length_ns > 0 else 0
    edges = [min(window[0] + MINUTE_NS * number, window[1]) for number in range(count + 1)]
    readings = _inside(lines, window)
    clock_source, clocks = _clock(readings, accelerator)
    temperature_source, temperatures = _temperature(readings)
    starts_ns = _starts(values_ns, window)
    minutes = []
    for number, (start_ns, end_ns) in enumerate(zip(edges, edges[1:], strict=False), start=1):
        first, last = (_before(starts_ns, edge_ns) for edge_ns in (start_ns, end_ns))
        degrees = [value for at_ns, value in temperatures if start_ns <= at_ns < end_ns]
        hertz = [value for at_ns, value in clocks if start_ns <= at_ns < end_ns]
        minutes.append(
            Minute(
                number,
                end_ns - start_ns,
                last - first,
                median(values_ns[first:last]) if last > first else None,
                fmean(hertz) if hertz else None,
                fmean(degrees) if degrees else None,
                max(degrees, default=None),
            )
        )
    return _compared(tuple(minutes), clock_source, temperature_source)


def _compared(minutes: tuple[Minute, ...], clock: str | None, temperature: str | None) -> Sustained:
    full = [minute for minute in minutes if minute.duration_ns == MINUTE_NS]
    if len(full) < 2:
        reason = f"the window holds {len(full)} full minute{'' if len(full) == 1 else 's'}, 2 are needed"
        return Sustained(minutes, None, None, None, clock, temperature, reason)
    first, last = full[0], full[-1]
    if not first.p50_ns or not last.p50_ns:
        empty = last if first.p50_ns else first
        reason = f"no inference began in minute {empty.minute}"
        return Sustained(minutes, None, first.minute, last.minute, clock, temperature, reason)
    return Sustained(minutes, last.p50_ns / first.p50_ns, first.minute, last.minute, clock, temperature)


def _starts(values_ns: Sequence[int], window: tuple[int, int]) -> list[float]:
    """When each inference began."""
    if not values_ns:
        return []
    between_ns = (window[1] - window[0] - sum(values_ns)) / len(values_ns)
    ended = accumulate(value + between_ns for value in values_ns[:-1])
    return [float(window[0]), *(window[0] + at_ns for at_ns in ended)]


def _before(times_ns: Sequence[float], edge_ns: float) -> int:
    """How many lie before an edge; one on it belongs to what follows."""
    return bisect_right(times_ns, edge_ns - 0.5)


def _inside(lines: Sequence[Mapping[str, Any]], window: tuple[int, int]) -> dict[tuple[str, str], Points]:
    """Readings with a value by (source, unit)."""
    found: dict[tuple[str, str], Points] = {}
    for line in lines:
        if line.get("type") == "reading" and line["value"] is not None and line["unit"] in ("hz", "c"):
            at_ns = (line["t0_ns"] + line["t1_ns"]) / 2
            if window[0] <= at_ns <= window[1]:
                found.setdefault((line["source"], line["unit"]), []).append((at_ns, line["value"]))
    return found


def _clock(readings: Mapping[tuple[str, str], Points], accelerator: str) -> tuple[str | None, Points]:
    """What the clock is called, and its readings; of several cores or boards all together."""
    names = sorted(name for name, unit in readings if unit == "hz")
    graphics = [name for name in names if name.endswith(".clock_sm")]
    graphics += [name for name in names if name.startswith("devfreq.") and name.endswith(".current")]
    processor = [name for name in names if name.startswith("cpufreq.") and name.endswith(".current")]
    firmware = [name for name in names if name == _FIRMWARE_CLOCK]
    chosen = (graphics if accelerator != "cpu" else []) or firmware or processor
    points = [point for name in chosen for point in readings[name, "hz"]]
    return (", ".join(chosen) or None), points


def _temperature(readings: Mapping[tuple[str, str], Points]) -> tuple[str | None, Points]:
    sensors = {name: points for (name, unit), points in readings.items() if unit == "c"}
    moving = {name: points for name, points in sensors.items() if len({value for _, value in points}) > 1}
    hottest = max(moving, key=lambda name: fmean(value for _, value in moving[name]), default=None)
    return hottest, moving[hottest] if hottest else []

"""How a launch holds its speed over a long window: minute by minute, latency beside clock and temperature.

Pure: raw latencies and raw telemetry lines in, a curve and one ratio out. The ratio is the last full
minute's median latency over the first full minute's: 1.25 means a quarter slower in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from orchestrator.domain import Minute, Sustained
from orchestrator.statistics.quantiles import median

MINUTE_NS = 60_000_000_000
_FIRMWARE_CLOCK = "vcgencmd.clock_arm"  # what runs; cpufreq on such a board is only what was asked for

Window = tuple[int, int]  # start and end, CLOCK_MONOTONIC in ns
Points = list[tuple[float, float]]  # when (ns) and the value


def sustained(
    values_ns: Sequence[int],
    window: Window,
    lines: Sequence[Mapping[str, Any]],
    accelerator: str = "cpu",
    asked_ns: int = 0,
    minute_ns: int = MINUTE_NS,
) -> Sustained:
    """The curve of a window.

    ``values_ns``: raw latencies in time order; ``window``: its start and end in ns of the runner's clock,
    of which the telemetry ``lines`` must be too (none where they are not). What the loop spends between
    inferences is taken to be the same for all. The clock is the GPU's where an ``accelerator`` is used;
    the temperature is the hottest sensor's that moved at all: some chips report a constant. ``asked_ns``:
    how long the window should have been. ``minute_ns`` makes minutes shorter than they are.
    """
    readings = _inside(lines, window)
    clock_source, clocks = _clock(readings, accelerator)
    temperature_source, temperatures = _temperature(readings)
    spans = minutes_of(window, minute_ns)
    minutes: list[Minute] = []
    for (start_ns, end_ns), latencies in zip(spans, _parted(values_ns, window, spans), strict=True):
        degrees = [value for at_ns, value in temperatures if start_ns <= at_ns < end_ns]
        hertz = [value for at_ns, value in clocks if start_ns <= at_ns < end_ns]
        minutes.append(
            Minute(
                len(minutes) + 1,
                end_ns - start_ns,
                len(latencies),
                median(latencies) if latencies else None,
                fmean(hertz) if hertz else None,
                fmean(degrees) if degrees else None,
                max(degrees, default=None),
            )
        )
    ratio, first, last, reason = _compared(minutes, minute_ns)
    return Sustained(
        tuple(minutes),
        ratio,
        first,
        last,
        clock_source,
        temperature_source,
        reason,
        None if clock_source else _why(lines, "hz", "clock"),
        None if temperature_source else _stood(readings) or _why(lines, "c", "temperature"),
        _cut(window[1] - window[0], asked_ns, len(values_ns)),
    )


def minutes_of(window: Window, minute_ns: int = MINUTE_NS) -> list[Window]:
    """The window's minutes one after the other; the last one may be shorter."""
    starts = range(window[0], window[1], minute_ns)
    return [(start_ns, min(start_ns + minute_ns, window[1])) for start_ns in starts]


def _compared(
    minutes: Sequence[Minute], minute_ns: int
) -> tuple[float | None, int | None, int | None, str | None]:
    """The ratio, the two minutes it compares, and the reason where there is none."""
    full = [minute for minute in minutes if minute.duration_ns == minute_ns]
    if len(full) < 2:
        reason = f"the window holds {len(full)} full minute{'' if len(full) == 1 else 's'}, 2 are needed"
        return None, None, None, reason
    first, last = full[0], full[-1]
    if not first.p50_ns or not last.p50_ns:
        empty = last if first.p50_ns else first
        return None, first.minute, last.minute, f"no inference began in minute {empty.minute}"
    return last.p50_ns / first.p50_ns, first.minute, last.minute, None


def _cut(window_ns: int, asked_ns: int, iterations: int) -> str | None:
    if window_ns >= 0.999 * asked_ns:  # clocks of old runners count in floating point
        return None
    return (
        f"the window ended after {window_ns / MINUTE_NS:.3g} of {asked_ns / MINUTE_NS:.3g} minutes, "
        f"at {iterations:,} inferences: a window holds no more"
    )


def _parted(values_ns: Sequence[int], window: Window, spans: Sequence[Window]) -> Iterable[Sequence[int]]:
    """The latencies of each span: those of the inferences that began in it."""
    between_ns = (window[1] - window[0] - sum(values_ns)) / len(values_ns) if values_ns else 0.0
    start_ns, at, first = float(window[0]), 0, 0
    for _, end_ns in spans[:-1]:
        # Half a nanosecond: a start on the edge belongs to what follows, whatever the sum's rounding.
        while at < len(values_ns) and start_ns <= end_ns - 0.5:
            start_ns += values_ns[at] + between_ns
            at += 1
        yield values_ns[first:at]
        first = at
    if spans:
        yield values_ns[first:]


def _inside(lines: Sequence[Mapping[str, Any]], window: Window) -> dict[tuple[str, str], Points]:
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


def _stood(readings: Mapping[tuple[str, str], Points]) -> str | None:
    """Of sensors that answer and never move, what they stood at."""
    sensors = {name: points for (name, unit), points in readings.items() if unit == "c"}
    stood = ", ".join(f"{name} stood at {points[0][1]:g} C" for name, points in sensors.items())
    return f"no temperature moved: {stood}" if stood else None


def _why(lines: Iterable[Mapping[str, Any]], unit: str, what: str) -> str:
    """Why no reading of a unit has a value, as the sources say."""
    reasons = {
        str(line["source"]): str(line["reason"])
        for line in lines
        if line.get("type") == "reading" and line["unit"] == unit and line["value"] is None
    }
    told = ", ".join(f"{source}: {reason}" for source, reason in reasons.items())
    return f"no {what} sensor: {told or 'no source reads one'}"

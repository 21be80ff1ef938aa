"""Raw data made small enough to be drawn: quantiles of a launch, and readings on a launch's own clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator import measurement
from orchestrator.report.cells import MIB
from orchestrator.report.page.launches import Launch

if TYPE_CHECKING:
    import numpy as np

LEAST_QUANTILES, MOST_QUANTILES, QUANTILES_OF_A_PAGE = 41, 101, 20_000
LEAST_POINTS, MOST_POINTS, POINTS_OF_A_PAGE = 20, 60, 4_000

# Unit of a reading -> unit on the page, and how many of the former it is.
_SHOWN = {"c": ("C", 1.0), "hz": ("MHz", 1e6), "w": ("W", 1.0), "bytes": ("MiB", float(MIB))}
# Counters: what their rate is called. Joules a second are watts, and nanoseconds of processor time a
# nanosecond are busy cores.
_RATES = {"j": ("W", 1e-9), "ns": ("cores", 1.0)}


def quantile_count(launches: int) -> int:
    """How many quantiles a launch is drawn from, where a page has so many launches."""
    return max(LEAST_QUANTILES, min(MOST_QUANTILES, QUANTILES_OF_A_PAGE // max(1, launches)))


def point_count(timelines: int) -> int:
    """How many points a source is drawn from, where a page has so many timelines."""
    return max(LEAST_POINTS, min(MOST_POINTS, POINTS_OF_A_PAGE // max(1, timelines)))


def quantiles(latencies_ns: Sequence[int], count: int) -> list[int]:
    """``count`` quantiles at (i + 1/2) / count in ns, each standing for an equal share of the window.

    The first is a value and each later one the step from the one before: steps are short to write. A window
    with fewer iterations is given whole.
    """
    import numpy as np

    found: list[int] = np.diff(drawn(latencies_ns, count), prepend=0).tolist()
    return found


def drawn(latencies_ns: Sequence[int], count: int) -> np.ndarray[Any, Any]:
    """The values of :func:`quantiles`, ascending; of themselves they are the same again."""
    import numpy as np

    values = np.sort(np.asarray(latencies_ns, dtype=np.int64))
    if len(values) <= count:
        return values
    # As numpy.quantile's, which is slow where nothing but the sorting takes time.
    places = (np.arange(count) + 0.5) / count * (len(values) - 1)
    return np.rint(np.interp(places, np.arange(len(values)), values)).astype(np.int64)


def timeline(launch: Launch, count: int) -> dict[str, Any]:
    """A launch's phases and readings in ms since its first mark.

    ``{launch, phases: [[name, start, end]], sources: [{name, scope, unit, t: [...], v: [...]}], reason}``;
    ``reason``: why there are no readings. No source has more than ``count`` points: of equal stretches of
    time the lowest and the highest reading remain, so that no peak is lost.
    """
    start_ns = min((window[0] for window in launch.phases.values()), default=0)
    phases = [
        [name, _ms(window[0] - start_ns), _ms(window[1] - start_ns)]
        for name, window in sorted(launch.phases.items(), key=lambda item: item[1])
    ]
    reason = launch.record.telemetry.get(measurement.PROGRAM, {}).get("reason")
    sources = [] if reason else _sources(launch.readings(), start_ns, count)
    if not reason and not sources:
        reason = "no source gave two readings"
    return {"launch": launch.record.launch, "phases": phases, "sources": sources, "reason": reason}


def _sources(lines: Sequence[measurement.Line], start_ns: int, count: int) -> list[dict[str, Any]]:
    by_source: dict[str, list[measurement.Line]] = {}
    for line in lines:
        held = line.get("type") == "reading" and isinstance(line.get("value"), (int, float))
        if held and line["method"] != "peak":  # a peak only rises: the reading beside it shows when
            by_source.setdefault(line["source"], []).append(line)
    found = []
    for name, readings in sorted(by_source.items()):
        unit, points = _points(readings)
        if unit and len(points) > 1:
            kept = thinned(points, count)
            found.append(
                {
                    "name": name,
                    "scope": readings[0]["scope"],
                    "unit": unit,
                    "t": [_ms(t_ns - start_ns) for t_ns, _ in kept],
                    "v": [_short(value) for _, value in kept],
                }
            )
    return found


def _points(readings: Sequence[measurement.Line]) -> tuple[str | None, list[tuple[float, float]]]:
    """The unit on the page, and ``(t_ns, value)`` in order of time; no unit where it cannot be drawn."""
    read = sorted((measurement.midpoint_ns(line), float(line["value"])) for line in readings)
    unit, counts = readings[0]["unit"], readings[0]["method"] == "counter"
    if not counts and unit in _SHOWN:
        name, size = _SHOWN[unit]
        return name, [(t_ns, value / size) for t_ns, value in read]
    if counts and unit in _RATES:
        name, size = _RATES[unit]
        steps = [
            ((earlier + later) / 2, (after - before) / (later - earlier) / size)
            for (earlier, before), (later, after) in zip(read, read[1:], strict=False)
            if later > earlier and after >= before  # a counter that began anew says nothing of this step
        ]
        return name, steps
    return None, []


def thinned(points: Sequence[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    """At most ``count`` (even, at least 2) of the points, in order of time."""
    if len(points) <= count:
        return list(points)
    first, length = points[0][0], points[-1][0] - points[0][0]
    stretches: dict[int, list[tuple[float, float]]] = {}
    for point in points:
        place = min(int((point[0] - first) / length * (count // 2)), count // 2 - 1)
        stretches.setdefault(place, []).append(point)
    kept = {
        extreme(stretch, key=lambda point: point[1])
        for stretch in stretches.values()
        for extreme in (min, max)
    }
    return sorted(kept)


def _ms(duration_ns: float) -> int:
    return round(duration_ns / 1e6)


def _short(value: float) -> float:
    """Four significant digits; a whole number without its point."""
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() else rounded


def tally(launch: Launch, count: int) -> dict[str, Any]:
    """What the details of a case say of one launch."""
    record = launch.record
    told: Mapping[str, Any] = {
        "n": record.launch,
        "status": record.status.value,
        "reason": record.reason,
        "started": record.started_utc,
        "wall_ms": _ms(record.wall_ns),
        "p50": record.latency.p50_ns if record.latency else None,
        "q": quantiles(launch.latencies_ns, count) if len(launch.latencies_ns) else None,
    }
    return {name: value for name, value in told.items() if value is not None}

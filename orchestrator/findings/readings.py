"""Raw telemetry lines as what findings ask for: one source's values, in a window and around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_MINUTE_NS = 60_000_000_000

Line = Mapping[str, Any]
Window = tuple[int, int]  # start and end, CLOCK_MONOTONIC in ns
Points = Sequence[tuple[float, Any]]  # when (ns, between the stamps) and the value, in order of time


def by_source(lines: Sequence[Line]) -> dict[str, Points]:
    """Each source's readings that have a value."""
    found: dict[str, list[tuple[float, Any]]] = {}
    for line in lines:
        if line.get("type") == "reading" and line["value"] is not None:
            at_ns = (line["t0_ns"] + line["t1_ns"]) / 2
            found.setdefault(line["source"], []).append((at_ns, line["value"]))
    return {name: sorted(points, key=lambda point: point[0]) for name, points in found.items()}


def inside(points: Points, window: Window) -> Points:
    """Those in the window."""
    return [point for point in points if window[0] <= point[0] <= window[1]]


def around(points: Points, window: Window) -> Points:
    """From the last one before the window to the first one after it, as far as there are such."""
    before = [point for point in points if point[0] < window[0]][-1:]
    after = [point for point in points if point[0] > window[1]][:1]
    return [*before, *inside(points, window), *after]


def value_at(points: Points, at_ns: float) -> float:
    """A counter at a time between two of its readings, on a straight line. Raises ValueError outside."""
    for (t0_ns, earlier), (t1_ns, later) in zip(points, points[1:], strict=False):
        if t0_ns <= at_ns <= t1_ns:
            share = (at_ns - t0_ns) / (t1_ns - t0_ns) if t1_ns > t0_ns else 0.0
            return float(earlier + share * (later - earlier))
    raise ValueError(f"no readings around {at_ns}")


def when(at_ns: float, window: Window) -> str:
    """``1.2 s into the window of 5.0 s``, or how long before or after it."""
    start_ns, end_ns = window
    if at_ns < start_ns:
        return f"{(start_ns - at_ns) / 1e9:.1f} s before the window"
    if at_ns > end_ns:
        return f"{(at_ns - end_ns) / 1e9:.1f} s after the window"
    told = f"{(at_ns - start_ns) / 1e9:.1f} s into the window of {(end_ns - start_ns) / 1e9:.1f} s"
    number = _minute(at_ns, window)
    return f"{told} (minute {number})" if number else told


def since(at_ns: float, window: Window) -> str:
    """``, first seen in minute 3`` of a window that has several minutes, else nothing."""
    number = _minute(at_ns, window)
    return f", first seen in minute {number}" if number else ""


def _minute(at_ns: float, window: Window) -> int | None:
    """From 1; what was read before or after the window belongs to its first or last one."""
    start_ns, end_ns = window
    if end_ns - start_ns < 2 * _MINUTE_NS:
        return None
    return int(min(max(at_ns, start_ns), end_ns - 1) - start_ns) // _MINUTE_NS + 1

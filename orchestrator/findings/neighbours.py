"""Processor time in a window that was not the runner's: other programs, and what a hypervisor took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from orchestrator.findings.readings import Line, Points, Window, inside, value_at

BUSY, STEAL, OWN = "host.cpu_busy", "host.cpu_steal", "process.cpu_time"
# Shares of one core. A tenth: what one thread loses at most to a program on its own core that takes so
# much; a quiet desktop or board takes 1 to 5 %. Stolen time hits the runner itself, so less is let pass.
BUSY_LIMIT, STEAL_LIMIT = 0.10, 0.02
LEAST_NS = 1_000_000_000
PAIR_NS = 20_000_000  # two counters that far apart were read at one tick
# Counters move in ticks of 10 ms: five fields of /proc/stat and the runner's may each be one behind.
TICK_NS = 10_000_000
BUSY_SLACK_NS, STEAL_SLACK_NS = 6 * TICK_NS, TICK_NS


def neighbours(readings: Mapping[str, Points], lines: Sequence[Line], window: Window) -> list[str]:
    """What others used in the window, where it is above the limits; nothing below one second."""
    told = []
    foreign = _rise(_difference(readings.get(BUSY, ()), readings.get(OWN, ())), window)
    if foreign:
        length_ns, used_ns = foreign
        used_ns -= _telemetry_share(lines) * length_ns
        told += _above("other programs used", used_ns, BUSY_SLACK_NS, length_ns, BUSY_LIMIT)
    if stolen := _rise(readings.get(STEAL, ()), window):
        told += _above("the hypervisor took", stolen[1], STEAL_SLACK_NS, stolen[0], STEAL_LIMIT)
    return told


def own_cores(readings: Mapping[str, Points], window: Window) -> float | None:
    """How many cores the runner kept busy in the window, on average; None where it is not known."""
    points = inside(readings.get(OWN, ()), window)
    if len(points) < 2 or points[-1][0] - points[0][0] < LEAST_NS - TICK_NS:
        return None
    return float((points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0]))


def _difference(busy: Points, own: Points) -> Points:
    """Time of others, at the ticks at which both counters were read.

    Between ticks the runner may begin to work on many cores: a line through one counter's readings
    alone would take that for others' time.
    """
    times = [at_ns for at_ns, _ in own]
    found = []
    for at_ns, value in busy:
        place = bisect_left(times, at_ns - PAIR_NS)
        near = min(own[place : place + 3], key=lambda point: abs(point[0] - at_ns), default=None)
        if near and abs(near[0] - at_ns) <= PAIR_NS:
            found.append((at_ns, value - near[1]))
    return found


def _rise(points: Points, window: Window) -> tuple[float, float] | None:
    """The part of the window that the readings cover, and how far the counter rose in it (ns)."""
    if not points:
        return None
    start_ns, end_ns = max(window[0], points[0][0]), min(window[1], points[-1][0])
    if end_ns - start_ns < LEAST_NS:
        return None
    return end_ns - start_ns, value_at(points, end_ns) - value_at(points, start_ns)


def _telemetry_share(lines: Sequence[Line]) -> float:
    """Of one core, what telemetry itself took on average after its start; 0 where it was cut off."""
    first = next((line for line in lines if line.get("type") == "clock"), None)
    last = next((line for line in lines if line.get("type") == "end"), None)
    if first is None or last is None or last["t_ns"] <= first["t_ns"]:
        return 0.0
    return float((last["cpu_ns"] - last["startup_cpu_ns"]) / (last["t_ns"] - first["t_ns"]))


def _above(who: str, used_ns: float, slack_ns: int, length_ns: float, limit: float) -> list[str]:
    if used_ns - slack_ns <= limit * length_ns:
        return []
    share = used_ns / length_ns
    return [
        f"{who} {used_ns / 1e9:.2f} s of processor time in {length_ns / 1e9:.1f} s of the window, "
        f"{share:.0%} of a core, limit {limit:.0%}"
    ]

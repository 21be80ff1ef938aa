"""Processor time in a window that was not the runner's: other programs, and what a hypervisor took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.findings.readings import Line, Points, Window, value_at

BUSY, STEAL, OWN = "host.cpu_busy", "host.cpu_steal", "process.cpu_time"
# Shares of one core. A tenth: what one thread loses at most to a program on its own core that takes so
# much; a quiet desktop or board takes 1 to 5 %. Stolen time hits the runner itself, so less is let pass.
BUSY_LIMIT, STEAL_LIMIT = 0.10, 0.02
LEAST_NS = 1_000_000_000
# Counters move in ticks of 10 ms: five fields of /proc/stat and the runner's may each be one behind.
TICK_NS = 10_000_000
BUSY_SLACK_NS, STEAL_SLACK_NS = 6 * TICK_NS, TICK_NS


def neighbours(readings: Mapping[str, Points], lines: Sequence[Line], window: Window) -> list[str]:
    """What others used in the window, where it is above the limits; nothing below one second."""
    told = []
    found = _rises(readings, window, (BUSY, OWN))
    if found:
        length_ns, (busy_ns, own_ns) = found
        foreign_ns = busy_ns - own_ns - _telemetry_share(lines) * length_ns
        told += _above("other programs used", foreign_ns, BUSY_SLACK_NS, length_ns, BUSY_LIMIT)
    found = _rises(readings, window, (STEAL,))
    if found:
        length_ns, (steal_ns,) = found
        told += _above("the hypervisor took", steal_ns, STEAL_SLACK_NS, length_ns, STEAL_LIMIT)
    return told


def own_cores(readings: Mapping[str, Points], window: Window) -> float | None:
    """How many cores the runner kept busy in the window, on average; None where it is not known."""
    found = _rises(readings, window, (OWN,))
    return found[1][0] / found[0] if found else None


def _rises(
    readings: Mapping[str, Points], window: Window, names: Sequence[str]
) -> tuple[float, list[float]] | None:
    """The part of the window that the readings cover, and how far each counter rose in it (ns)."""
    series = [readings.get(name, ()) for name in names]
    if not all(len(points) > 1 for points in series):
        return None
    start_ns = max(window[0], *(points[0][0] for points in series))
    end_ns = min(window[1], *(points[-1][0] for points in series))
    if end_ns - start_ns < LEAST_NS:
        return None
    return end_ns - start_ns, [value_at(points, end_ns) - value_at(points, start_ns) for points in series]


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

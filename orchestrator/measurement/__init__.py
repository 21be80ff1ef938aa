"""Readings laid on the runner's marks: what telemetry says of one window. Pure but for :func:`read_lines`.

A reading belongs to the window that holds its midpoint. Nothing is interpolated and nothing filled in:
what was not read is ``None`` with a reason. Raw readings stay in the trial's ``telemetry.jsonl``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

Line = Mapping[str, Any]
Window = tuple[int, int]  # start and end, CLOCK_MONOTONIC in ns

PROGRAM = "telemetry"  # the key of what telemetry says of itself
_OWN_FIGURES = ("cause", "ticks", "missed", "cpu_ns", "startup_cpu_ns", "max_rss_bytes")


@dataclass(frozen=True)
class Summary:
    """One source inside one window; ``count`` counts the readings that have a value.

    ``coverage`` is the part of the window (0 to 1) that lies within one interval of a reading with a
    value; ``max_gap_ns`` is the longest stretch without one, the window's edges included. Words have no
    ``min``, ``max`` and ``mean``; of a counter only ``last - first`` means anything.
    """

    scope: str
    method: str
    unit: str
    count: int
    min: float | None
    max: float | None
    mean: float | None
    first: float | str | None
    last: float | str | None
    coverage: float
    max_gap_ns: int
    reasons: Mapping[str, int] = field(default_factory=dict)  # reason -> readings without a value
    reason: str | None = None  # why count is 0

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def read_lines(path: Path, units: Collection[str] | None = None) -> list[dict[str, Any]]:
    """The lines of a telemetry file; a torn last line is dropped, a missing file has none.

    ``units``: only readings of these; half an hour's file has a hundred thousand of others.
    """
    try:
        with path.open("rb") as stream:
            parsed = _parsed(stream)
            return [line for line in parsed if units is None or line.get("unit") in units]
    except FileNotFoundError:
        return []


def parse_lines(data: bytes) -> list[dict[str, Any]]:
    """What telemetry wrote; a torn last line is dropped."""
    return list(_parsed(data.splitlines()))


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue  # a process that was killed may leave half a line
        if isinstance(value, dict):
            yield value


def align(runner_clock: Line, telemetry_clock: Line) -> str | None:
    """Why readings cannot be laid on the runner's marks, in one line, or None when they can.

    Both clocks are ``{boot_id, time_namespace, ...}``. An unknown boot id refuses: two machines'
    monotonic clocks have nothing in common. A kernel without time namespaces says None on both sides.
    """
    boot_ids = runner_clock.get("boot_id"), telemetry_clock.get("boot_id")
    if None in boot_ids:
        return f"boot id unknown: runner {boot_ids[0]}, telemetry {boot_ids[1]}"
    if boot_ids[0] != boot_ids[1]:
        return f"boot id differs: runner {boot_ids[0]}, telemetry {boot_ids[1]}"
    namespaces = runner_clock.get("time_namespace"), telemetry_clock.get("time_namespace")
    if namespaces[0] != namespaces[1]:
        return f"time namespace differs: runner {namespaces[0]}, telemetry {namespaces[1]}"
    return None


def midpoint_ns(reading: Line) -> float:
    """When a reading counts as taken; the driver may have taken it at any time between its stamps."""
    return (int(reading["t0_ns"]) + int(reading["t1_ns"])) / 2


def cut(readings: Iterable[Line], window: Window) -> list[Line]:
    """The readings whose midpoints lie in the window, edges included, in the order given."""
    start_ns, end_ns = window
    return [reading for reading in readings if start_ns <= midpoint_ns(reading) <= end_ns]


def summarise(readings: Sequence[Line], window: Window, interval_ns: int) -> Summary:
    """All readings of one source (at least one), inside and outside the window, as a summary of it."""
    inside = cut(readings, window)
    held = [reading for reading in inside if reading["value"] is not None]
    values = [reading["value"] for reading in held]
    numbers = [value for value in values if not isinstance(value, str)]
    reasons = Counter(reading["reason"] for reading in inside if reading["value"] is None)
    gaps = _gaps([midpoint_ns(reading) for reading in held], window)
    length_ns = window[1] - window[0]
    reason = None
    if not values:
        reason = reasons.most_common(1)[0][0] if reasons else "no reading inside the window"
    sampled = readings[0]["method"] in ("sampled", "estimated")
    return Summary(
        scope=readings[0]["scope"],
        method=readings[0]["method"],
        unit=readings[0]["unit"],
        count=len(values),
        min=min(numbers, default=None),
        max=max(numbers, default=None),
        mean=fmean(numbers) if numbers and sampled else None,
        first=values[0] if values else None,
        last=values[-1] if values else None,
        coverage=sum(min(gap, interval_ns) for gap in gaps) / length_ns if values and length_ns else 0.0,
        max_gap_ns=round(max(gaps)),
        reasons=dict(reasons),
        reason=reason,
    )


def _gaps(times_ns: Sequence[float], window: Window) -> list[float]:
    edges = [window[0], *times_ns, window[1]]
    return [later - earlier for earlier, later in zip(edges, edges[1:], strict=False)]


def observe(lines: Sequence[Line], runner_clock: Line, window: Window | None) -> dict[str, Any]:
    """A record's ``telemetry``: each source's summary over the window, and the program's own figures.

    The key ``telemetry`` holds those figures and a ``reason``: None, or why there are no summaries.
    """
    clock = next((line for line in lines if line.get("type") == "clock"), None)
    last = next((line for line in lines if line.get("type") == "end"), {})
    own: dict[str, Any] = {name: last.get(name) for name in _OWN_FIGURES}
    own["interval_ns"] = clock["interval_ns"] if clock else None
    if clock is None:
        own["reason"] = "no telemetry was taken"
    elif window is None:
        own["reason"] = "the window was not reached or not closed"
    else:
        own["reason"] = align(runner_clock, clock)
    if own["reason"] or clock is None or window is None:
        return {PROGRAM: own}
    sources: dict[str, list[Line]] = {}
    for line in lines:
        if line.get("type") == "reading":
            sources.setdefault(line["source"], []).append(line)
    summaries = {
        name: summarise(readings, window, clock["interval_ns"]).to_json()
        for name, readings in sources.items()
    }
    return {PROGRAM: own, **summaries}


def fallback(placement: Line) -> str | None:
    """Why a trial did not run where it was asked to, or None.

    The accelerator's name must be part of the name of something that executed nodes (``cuda`` of
    ``CUDAExecutionProvider``); a count that the runtime does not tell counts as executed.
    """
    requested = str(placement.get("requested", "cpu"))
    executed = placement.get("executed") or {}
    if requested == "cpu" or any(
        requested.lower() in name.lower() and nodes != 0 for name, nodes in executed.items()
    ):
        return None
    return f"{requested} was asked for, executed on {', '.join(executed) or 'nothing'}"

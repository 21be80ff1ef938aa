"""The readings of one power source as a series in time."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.statistics.quantiles import median

Line = Mapping[str, Any]

POWER, JOULES = "w", "j"
METHODS = {POWER: ("sampled", "estimated"), JOULES: ("counter",)}


@dataclass(frozen=True)
class Series:
    """Readings with a value, their midpoints strictly ascending; values in ``unit`` (``w`` or ``j``).

    ``interval_ns`` is the source's own: the median spacing of all its readings, those without a value
    too (0 below two). ``dropped`` counts readings whose midpoint did not come after the one before.
    """

    source: str
    scope: str
    method: str
    unit: str
    times_ns: tuple[float, ...]
    values: tuple[float, ...]
    widths_ns: tuple[float, ...]
    interval_ns: float
    dropped: int = 0
    reason: str | None = None  # the telemetry's most frequent one, where no reading has a value
    lost: tuple[tuple[float, str], ...] = ()  # midpoint and reason of each reading without a value

    def between(self, start_ns: float, end_ns: float) -> slice:
        """The readings whose midpoints lie from start to end, both included."""
        return slice(bisect_left(self.times_ns, start_ns), bisect_right(self.times_ns, end_ns))


def power_sources(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The readings of each source of power or energy, in the order given; other lines are left out."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.get("type") == "reading" and line["method"] in METHODS.get(line["unit"], ()):
            found.setdefault(line["source"], []).append(line)
    return found


def series_of(lines: Sequence[Line], interval_ns: float | None = None) -> Series:
    """Readings of one source (at least one) as a series; a value that is no finite number is a gap.

    ``interval_ns`` replaces the median spacing.
    """
    times: list[float] = []
    held: list[tuple[float, float, float]] = []
    lost: list[tuple[float, str]] = []
    dropped = 0
    for line in lines:
        start_ns, end_ns = int(line["t0_ns"]), int(line["t1_ns"])
        midpoint_ns = (start_ns + end_ns) / 2
        if end_ns < start_ns or (times and midpoint_ns <= times[-1]):
            dropped += 1  # a second copy, or a clock that jumped back: neither tells when it was
            continue
        times.append(midpoint_ns)
        if line["value"] is not None and math.isfinite(line["value"]):
            held.append((midpoint_ns, float(line["value"]), float(end_ns - start_ns)))
        elif line["reason"]:
            lost.append((midpoint_ns, str(line["reason"])))
    if interval_ns is None:
        spacings = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
        interval_ns = median(spacings) if spacings else 0.0
    reasons = Counter(line["reason"] for line in lines if line["reason"])
    first = lines[0]
    return Series(
        first["source"],
        first["scope"],
        first["method"],
        first["unit"],
        times_ns=tuple(time_ns for time_ns, _, _ in held),
        values=tuple(value for _, value, _ in held),
        widths_ns=tuple(width_ns for _, _, width_ns in held),
        interval_ns=interval_ns,
        dropped=dropped,
        reason=None if held else str(reasons.most_common(1)[0][0]) if reasons else "no reading",
        lost=tuple(lost),
    )

"""Whether a source's readings of one window can carry a figure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from orchestrator.energy.requirement import LEAST_COVERAGE, MOST_INTERVALS, family_of
from orchestrator.energy.series import JOULES, Series

Window = tuple[int, int]  # start and end, CLOCK_MONOTONIC in ns

ADVICE = ": ENERGY=1"  # ends a reason that a longer window would mend
_FROZEN_READINGS = 20
_FROZEN_CHANCE = 1e-6
# A sensor that tells power apart this finely never shows the same twenty times in a row.
_FINE = 1e-3


@dataclass(frozen=True)
class Stretch:
    """``used`` are the readings in the window and the nearest one beyond each edge; ``reason`` None: good.

    ``coverage`` is the part of the window within one interval of a reading, ``max_gap_ns`` the longest time
    between two readings that touch it (to its edge, where none lies beyond).
    """

    used: slice
    count: int
    rate_hz: float | None
    coverage: float
    max_gap_ns: int
    reason: str | None


def stretch(series: Series, window: Window, least_readings: int, least_ns: int) -> Stretch:
    """What there is of a window, and why it is not enough, if it is not."""
    inside = series.between(*window)
    used = slice(max(inside.start - 1, 0), min(inside.stop + 1, len(series.times_ns)))
    times_ns = series.times_ns[used]
    count = len(times_ns)
    span_ns = times_ns[-1] - times_ns[0] if count else 0.0
    coverage, max_gap_ns = _coverage(times_ns, window, series.interval_ns)
    found = Stretch(
        used, count, (count - 1) * 1e9 / span_ns if span_ns else None, coverage, round(max_gap_ns), None
    )
    reason = _refusal(series, window, found, least_readings, least_ns)
    return Stretch(used, count, found.rate_hz, coverage, found.max_gap_ns, reason)


def _coverage(times_ns: tuple[float, ...], window: Window, interval_ns: float) -> tuple[float, float]:
    start_ns, end_ns = window
    length_ns = end_ns - start_ns
    if not times_ns or length_ns <= 0:
        return 0.0, float(max(length_ns, 0))
    bare_ns = max(0.0, times_ns[0] - start_ns - interval_ns) + max(0.0, end_ns - times_ns[-1] - interval_ns)
    gaps = [times_ns[0] - start_ns, end_ns - times_ns[-1]]
    for before_ns, after_ns in zip(times_ns, times_ns[1:], strict=False):
        gaps.append(after_ns - before_ns)
        from_ns, until_ns = max(start_ns, before_ns + interval_ns), min(end_ns, after_ns - interval_ns)
        bare_ns += max(0.0, until_ns - from_ns)
    return max(0.0, 1 - bare_ns / length_ns), max(gaps)


def _refusal(
    series: Series, window: Window, found: Stretch, least_readings: int, least_ns: int
) -> str | None:
    length_ns = window[1] - window[0]
    if series.reason:
        return series.reason
    if length_ns < least_ns:
        label = family_of(series.source).label
        return f"window {length_ns / 1e9:.1f} s, {label} needs {least_ns / 1e9:g} s{ADVICE}"
    lost = Counter(reason for time_ns, reason in series.lost if window[0] <= time_ns <= window[1])
    without = f"; {lost.total()} had no value: {lost.most_common(1)[0][0]}" if lost else ""
    if found.count < least_readings:
        # A longer window would not mend a sensor that fails.
        advice = without if found.count + lost.total() >= least_readings else ADVICE
        return f"{found.count} readings, {least_readings} are needed{advice}"
    if found.max_gap_ns > MOST_INTERVALS * series.interval_ns:
        return (
            f"{found.max_gap_ns / 1e9:.2f} s without a reading, "
            f"at most {MOST_INTERVALS} intervals of {series.interval_ns / 1e9:.2f} s are allowed{without}"
        )
    if found.coverage < LEAST_COVERAGE:
        return f"readings cover {found.coverage:.0%} of the window, {LEAST_COVERAGE:.0%} are needed{without}"
    values = series.values[found.used]
    if series.unit == JOULES and any(
        after < before for before, after in zip(values, values[1:], strict=False)
    ):
        return "the counter fell: it began anew inside the window"
    return "stale" if _frozen(series, values) else None


def _frozen(series: Series, values: tuple[float, ...]) -> bool:
    """Whether a value stands still where it must move.

    A total over a window that took time must grow. A power may rest on a coarse step for long, so it is
    frozen only if it never changes at all, or if its steps are fine and its other readings repeat so rarely
    that chance does not explain so long a rest.
    """
    longest = max(len(list(run)) for _, run in groupby(values))
    if longest < _FROZEN_READINGS:
        return False
    if len(set(values if series.unit == JOULES else series.values)) == 1:
        return True
    pairs = list(zip(series.values, series.values[1:], strict=False))
    repeats = sum(before == after for before, after in pairs) - (longest - 1)
    elsewhere = len(pairs) - (longest - 1)
    if max(0.0, repeats / elsewhere) ** (longest - 1) >= _FROZEN_CHANCE:
        return False
    ordered = sorted(set(series.values))
    step = min(after - before for before, after in zip(ordered, ordered[1:], strict=False))
    return series.unit == JOULES or step < _FINE * max(map(abs, values))

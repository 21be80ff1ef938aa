"""Joules of a window from readings around it. Times are seconds from any origin, powers W, counters J.

Between two readings both kinds are taken as straight lines, so that windows that touch add up exactly:
power is integrated by the trapezoid rule with edges interpolated between the readings on both sides of
them, and of a counter the interpolated values at the edges are subtracted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

Numbers = Sequence[float]


def power_at(times_s: Numbers, watts: Numbers, at_s: float) -> float:
    """Interpolated W; before the first and after the last reading (at least one) the nearest one's."""
    place = bisect_left(times_s, at_s)
    if place in (0, len(times_s)):
        return watts[min(place, len(times_s) - 1)]
    return _line(times_s, watts, place, at_s)


def count_at(times_s: Numbers, joules: Numbers, at_s: float) -> float:
    """Interpolated J of a counter; beyond its readings (at least two) the nearest two's line goes on."""
    return _line(times_s, joules, min(max(bisect_left(times_s, at_s), 1), len(times_s) - 1), at_s)


def _line(times_s: Numbers, values: Numbers, place: int, at_s: float) -> float:
    before_s, after_s = times_s[place - 1], times_s[place]
    share = (at_s - before_s) / (after_s - before_s)
    return values[place - 1] + share * (values[place] - values[place - 1])


def trapezoid(times_s: Numbers, watts: Numbers, start_s: float, end_s: float) -> float:
    """J from start to end of readings in W (at least one, times ascending)."""
    inside = range(bisect_left(times_s, start_s), bisect_left(times_s, end_s))
    knots = [start_s, *(times_s[i] for i in inside), end_s]
    levels = [
        power_at(times_s, watts, start_s),
        *(watts[i] for i in inside),
        power_at(times_s, watts, end_s),
    ]
    return math.fsum(
        (knots[i + 1] - knots[i]) * (levels[i + 1] + levels[i]) / 2 for i in range(len(knots) - 1)
    )


def difference(times_s: Numbers, joules: Numbers, start_s: float, end_s: float) -> float:
    """J from start to end of a counter's readings (at least two, times ascending)."""
    return count_at(times_s, joules, end_s) - count_at(times_s, joules, start_s)

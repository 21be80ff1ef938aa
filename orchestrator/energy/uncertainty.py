"""Standard uncertainties (k = 1) of what readings say of energy and of idle power.

docs/adr/0010-energy.md derives each form. Powers W, energies J, times seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from orchestrator.energy.integral import count_at

Numbers = Sequence[float]

_MOST_BIAS = 0.8  # a memory as long as the window cannot be estimated from it
_LEAST_EFFECTIVE = 4.0  # below that the factor of JCGM 101 has no meaning


def sampling_j(times_s: Numbers, watts: Numbers, update_s: float = 0.0) -> float:
    """Error of the trapezoid rule over point readings (at least four, else 0) against the true integral.

    Two parts of what power does between readings have to be told apart, because the rule fails them in
    different ways: what is fast (white: the reading says nothing of its neighbour) and what wanders
    (a random walk from reading to reading, which a straight line follows well). Of successive differences
    d the first has E d_k d_k+1 = -w^2 and the second 0, so w^2 = -mean(d_k d_k+1), and the walk's variance
    in one spacing h is b = mean(d^2) - 2 w^2. The errors are w^2 sum(weight^2) and, of a Brownian bridge
    over each spacing, b / mean(h) sum(h^3) / 12. ``update_s``: readings closer than that may be repeats,
    so differences are taken over as many readings as lie in it.
    """
    count = len(watts)
    span_s = times_s[-1] - times_s[0] if count else 0.0
    spacing_s = span_s / (count - 1) if count > 1 else 0.0
    stride = max(1, round(update_s / spacing_s)) if spacing_s else 1
    steps = [watts[i + stride] - watts[i] for i in range(count - stride)]
    if len(steps) <= stride:
        return 0.0
    squares = math.fsum(step * step for step in steps) / len(steps)
    products = math.fsum(steps[i] * steps[i + stride] for i in range(len(steps) - stride))
    white = min(max(0.0, -products / (len(steps) - stride)), squares / 2)
    walk = squares - 2 * white
    gaps = [times_s[i + 1] - times_s[i] for i in range(count - 1)]
    weights = math.fsum(((a + b) / 2) ** 2 for a, b in zip([0.0, *gaps], [*gaps, 0.0], strict=True))
    cubes = math.fsum(gap**3 for gap in gaps) / spacing_s
    return math.sqrt(stride * (white * weights + walk * cubes / 12))


def level_w(watts: Numbers) -> float:
    """Standard error of the mean of readings (at least two) against the level they fluctuate around.

    Readings resemble their neighbours, so s^2 / n becomes s^2 / n_eff = v / n, with v the sum of all
    autocovariances, cut off where a pair of them is no longer positive and never growing before (Geyer
    1992, initial monotone sequence). Deviations from the readings' own mean are too small by v / n at every
    lag summed, which is given back; and few effective readings know their own spread badly: a factor
    sqrt((n_eff - 1) / (n_eff - 3)), JCGM 101:2008, 6.4.9.4.
    """
    count = len(watts)
    mean = math.fsum(watts) / count
    off = [value - mean for value in watts]

    def covariance(lag: int) -> float:
        return sum(a * b for a, b in zip(off, off[lag:], strict=False)) / count

    variance = covariance(0)
    total, pair, lag = -variance, math.inf, 0
    while lag + 1 <= count // 2:
        pair = min(pair, covariance(lag) + covariance(lag + 1))
        if pair <= 0:
            break
        total += 2 * pair
        lag += 2
    if variance <= 0:
        return 0.0
    total = max(total, variance / count) / (1 - min(_MOST_BIAS, max(0, 2 * lag - 1) / count))
    effective = max(variance * count / total, _LEAST_EFFECTIVE)
    return math.sqrt(total / count * (effective - 1) / (effective - 3))


def rounding_w(watts: Numbers, step_w: float) -> float:
    """Error of a mean that stays because a sensor shows multiples of ``step_w``.

    A quiet power is off by anything up to half a step (rectangular: step / sqrt 12); noise beyond half a step
    averages that out, by exp(-2 pi^2 (noise / step)^2) (Widrow and Kollar 2008, chapter 6). The noise is what
    successive readings show, less what rounding itself adds (Sheppard: step^2 / 12).
    """
    if not step_w or len(watts) < 2:
        return 0.0
    steps = [after - before for before, after in zip(watts, watts[1:], strict=False)]
    shown = math.fsum(step * step for step in steps) / len(steps) / 2
    noise = max(0.0, shown / step_w**2 - 1 / 12)
    return step_w / math.sqrt(12) * math.exp(-2 * math.pi**2 * noise)


def least_step(values: Sequence[float]) -> float:
    """The smallest difference between values that are not equal; 0 where all are."""
    ordered = sorted(set(values))
    return min((after - before for before, after in zip(ordered, ordered[1:], strict=False)), default=0.0)


def power_edge_j(times_s: Numbers, watts: Numbers, at_s: float) -> float:
    """Error at one edge of a window of power readings, when power jumps there as load begins or ends.

    The straight line between the two readings around the edge misplaces up to jump x spacing / 2 (rms over
    where the edge lies between them: / sqrt 20). Before the first and after the last reading power is taken
    from the nearest one, and may be wrong by all of it.
    """
    place = bisect_left(times_s, at_s)
    if place in (0, len(times_s)):
        nearest = min(place, len(times_s) - 1)
        return abs(watts[nearest] * (times_s[nearest] - at_s)) / math.sqrt(3)
    jump_w = watts[place] - watts[place - 1]
    return abs(jump_w) * (times_s[place] - times_s[place - 1]) / math.sqrt(20)


def power_lag_j(watts: Numbers, lag_s: float) -> float:
    """Error because a sensor shows what was up to ``lag_s`` ago (rms: / sqrt 3): the whole window is shifted.

    What the shift loses is power at the window's end, what it gains is power before its start; ``watts`` are
    the readings from the last before the start to the last inside.
    """
    return abs(watts[-1] - watts[0]) * lag_s / math.sqrt(3)


def counter_edge_j(
    times_s: Numbers, joules: Numbers, start_s: float, end_s: float, lag_s: float, step_j: float
) -> float:
    """Error at both edges of a window of counter readings (at least three inside), together.

    What the counter shows may be up to ``lag_s`` old or less by up to a step (rectangular: / sqrt 12).
    Between the two readings around an edge energy is interpolated; how far that is from carrying on the
    line of the next pair inside is the error when load begins or ends at the edge.
    """
    parts = []
    first, last = bisect_left(times_s, start_s), bisect_right(times_s, end_s) - 1
    for edge_s, near, inner in ((start_s, first, first + 1), (end_s, last, last - 1)):
        slope_w = (joules[inner] - joules[near]) / (times_s[inner] - times_s[near])
        parts.append(max(abs(slope_w) * lag_s, step_j) / math.sqrt(12))
        carried_j = joules[near] + slope_w * (edge_s - times_s[near])
        if times_s[0] <= edge_s <= times_s[-1]:
            parts.append(count_at(times_s, joules, edge_s) - carried_j)
        else:
            parts.append(slope_w * (edge_s - times_s[near]) / math.sqrt(3))
    return math.hypot(*parts)


def counter_step(joules: Numbers) -> float:
    """How coarse a counter shows itself to be: its smallest rise, where it stands still at times.

    0 where it always rises: then its steps are finer than its readings.
    """
    rises = [after - before for before, after in zip(joules, joules[1:], strict=False)]
    return min((rise for rise in rises if rise > 0), default=0.0) if 0 in rises else 0.0

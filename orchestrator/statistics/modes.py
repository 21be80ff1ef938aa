"""Speed modes: launches of one case that land in clearly separate groups.

A process start can decide the speed of all that follows (memory layout, huge pages, core type): on a
Raspberry Pi 5 one public data set shows the same model at 21.7, 25.3 and 28 to 30 ms
(ODuqueDvise/edge-ai-benchmark). A mean over modes describes no launch at all, so modes are reported
instead of an interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Gaps narrower than this share of the median change no conclusion.
LEAST_GAP = 0.05
# How wide the narrowest gap between groups must be, in pooled standard deviations inside the groups, for
# launches of one mode to be split by chance in at most 4.2 % of cases (`python -m benchmarks coverage`
# simulates the rule). By number of launches: gaps for 2, 3 and 4 groups of at least two launches each, then
# for 2 and 3 such groups and one launch apart. Never below 2.5, however many the launches are.
_LEAST_RATIOS: dict[int, tuple[float, ...]] = {
    4: (9.6, math.inf, math.inf, math.inf, math.inf),
    5: (10.7, math.inf, math.inf, 12.0, math.inf),
    6: (9.6, 5.5, math.inf, 9.4, math.inf),
    7: (8.7, 6.0, math.inf, 8.4, 6.5),
    8: (8.0, 6.1, 2.7, 7.3, 5.9),
    9: (7.3, 5.3, 3.3, 6.4, 5.0),
    10: (7.2, 4.8, 3.4, 5.7, 4.4),
    12: (6.3, 3.9, 3.1, 4.7, 3.6),
    15: (5.6, 3.3, 2.5, 4.0, 3.1),
    20: (4.7, 2.7, 2.5, 3.4, 2.5),
    30: (4.0, 2.5, 2.5, 2.6, 2.5),
}
_MOST_GROUPS = 4


def speed_modes(medians: Sequence[float]) -> list[list[float]]:
    """Launch medians (ns) in groups, ascending; one group where there is no sign of modes.

    Launches are cut at the widest gaps between them into two to four groups, each of at least two launches;
    one launch apart may stand beside two such groups, never beside one: alone it shows in the spread
    between launches. Every gap must be 5 % of the median and much wider than the groups, by a
    factor that at most 5 % of unimodal processes (normal, uniform, exponential, lognormal, Student t) reach.
    Of several ways to cut, the one farthest beyond its factor is taken. Three launches show no modes.
    """
    ordered = sorted(medians)
    count = len(ordered)
    known = [launches for launches in _LEAST_RATIOS if launches <= count]
    best, best_excess = [ordered], 1.0
    if not known:
        return best
    ratios = _LEAST_RATIOS[known[-1]]
    gaps = [ordered[i + 1] - ordered[i] for i in range(count - 1)]
    by_width = sorted(range(count - 1), key=gaps.__getitem__, reverse=True)
    for cuts in range(1, min(_MOST_GROUPS, count - 1)):
        ends = [-1, *sorted(by_width[:cuts]), count - 1]
        groups = [ordered[a + 1 : b + 1] for a, b in zip(ends, ends[1:], strict=False)]
        least = _least_ratio(ratios, groups)
        narrowest = gaps[by_width[cuts - 1]]
        if least is None or narrowest < LEAST_GAP * ordered[count // 2]:
            continue
        excess = narrowest / _deviation(groups) / least
        if excess >= best_excess:
            best, best_excess = groups, excess
    return best


def _least_ratio(ratios: Sequence[float], groups: Sequence[Sequence[float]]) -> float | None:
    """The factor that this way to cut must reach, or None where it is no way at all."""
    alone = sum(len(group) == 1 for group in groups)
    if alone == 0:
        return ratios[len(groups) - 2]
    return ratios[len(groups)] if alone == 1 and len(groups) > 2 else None


def _deviation(groups: Sequence[Sequence[float]]) -> float:
    """Pooled standard deviation inside the groups. Clocks tick in whole ns: none is infinitely small."""
    squares = 0.0
    for group in groups:
        mean = math.fsum(group) / len(group)
        squares += math.fsum((value - mean) ** 2 for value in group)
    return max(1.0, math.sqrt(squares / (sum(map(len, groups)) - len(groups))))

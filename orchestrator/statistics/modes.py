"""Speed modes: launches of one case that land in clearly separate groups.

A process start can decide the speed of all that follows (memory layout, huge pages, core type): on a
Raspberry Pi 5 one public data set shows the same model at 21.7, 25.3 and 28 to 30 ms
(ODuqueDvise/edge-ai-benchmark). A mean over modes describes no launch at all, so modes are reported
instead of an interval.
"""

from __future__ import annotations

from collections.abc import Sequence

# Gaps narrower than this share of the median change no conclusion.
LEAST_GAP = 0.05


def speed_modes(medians: Sequence[float]) -> list[list[float]]:
    """Launch medians (ns) in groups, ascending; one group where there is no sign of modes.

    Conservative: every group has at least two launches, and every gap between groups is at least
    5 % of the median and 20 / n (at least 2) times as wide as the widest group. Simulated for 4 to
    20 launches, at most 5 % of unimodal distributions (normal, uniform, exponential, lognormal,
    Student t) are split. A single launch apart is no mode: it shows in the between-launch spread.
    """
    ordered = sorted(medians)
    count = len(ordered)
    gaps = [ordered[i + 1] - ordered[i] for i in range(count - 1)]
    by_width = sorted(range(count - 1), key=lambda i: gaps[i], reverse=True)
    best, best_ratio = [ordered], max(2.0, 20 / count) if count else 0.0
    for cuts in range(1, count // 2):
        ends = [-1, *sorted(by_width[:cuts]), count - 1]
        groups = [ordered[a + 1 : b + 1] for a, b in zip(ends, ends[1:], strict=False)]
        narrowest = gaps[by_width[cuts - 1]]
        widest = max(group[-1] - group[0] for group in groups)
        if min(map(len, groups)) < 2 or narrowest < LEAST_GAP * ordered[count // 2]:
            continue
        # Clocks tick in whole ns: equal medians are not infinitely close.
        ratio = narrowest / max(widest, 1.0)
        if ratio >= best_ratio:
            best, best_ratio = groups, ratio
    return best

"""The figures of both sides judged: a difference is called one where three things agree.

The 95 % interval of the ratio lies beyond the least difference that matters, not merely beyond 1; it still
does when the number of cases looked at is counted (Benjamini-Hochberg over the cases of a metric); and the
Mann-Whitney U test, which knows nothing of means, sees a difference too where the launches are enough for
it to say anything. docs/adr/0025-compare.md tells why, and what simulation says of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.compare.metrics import P50, Figure, Metric
from orchestrator.statistics import ratio as statistics
from orchestrator.statistics.ratio import LEVEL, Ratio

NONE, INCOMPARABLE = "no difference", "not comparable"
_WIDE = 1.05  # an interval that reaches beyond this difference says so


@dataclass(frozen=True)
class Judged:
    """One metric of one pair. ``ratio`` is B over A; of an accuracy ``points`` is B less A, low, high.

    ``verdict``: the metric's word for less or more, ``no difference``, or ``not comparable`` with the reason
    in ``remark``. ``chance``: p against the least difference, before other cases are counted.
    """

    metric: Metric
    a: Figure
    b: Figure
    verdict: str
    remark: str | None = None
    ratio: Ratio | None = None
    points: tuple[float, float, float] | None = None
    rank_p: float | None = None
    chance: float | None = None

    @property
    def differs(self) -> bool:
        """Whether a difference was shown."""
        return self.verdict in (self.metric.less, self.metric.more)


def look(metric: Metric, a: Figure, b: Figure, least: float) -> Judged:
    """One metric of one pair by itself, before the other cases are counted; ``least`` is 0.01 for 1 %."""
    for side, figure in (("A", a), ("B", b)):
        if figure.value is None:
            return Judged(metric, a, b, INCOMPARABLE, f"unknown in {side}: {figure.reason}")
    if a.scope != b.scope:
        return Judged(metric, a, b, INCOMPARABLE, f"scope {a.scope} / {b.scope}")
    if a.score and b.score:
        return _accuracy(Judged(metric, a, b, NONE), a.score, b.score)
    found = _exactly(a, b) if metric.exact else _ratio(a, b)
    if isinstance(found, str):
        return Judged(metric, a, b, INCOMPARABLE, found)
    more = found.value > 1
    # Files have no scatter, and every byte of them is a difference.
    chance = found.chance(1.0 if metric.exact else 1 + least if more else 1 / (1 + least), above=more)
    beyond = chance < LEVEL
    # Two milliseconds each are half a minute over a thousand cases: where nothing hangs on it only of p50.
    asked = a.launches and b.launches and (beyond or metric.name == P50)
    rank_p = statistics.mann_whitney(a.launches, b.launches) if asked else None
    verdict = metric.more if more else metric.less
    if not beyond:
        return Judged(metric, a, b, NONE, _remark(found, least), found, None, rank_p, chance)
    if rank_p is not None and rank_p >= LEVEL:
        remark = "the interval lies beyond, but the order of the launches may be chance"
        return Judged(metric, a, b, NONE, remark, found, None, rank_p, 1.0)
    return Judged(metric, a, b, verdict, None, found, None, rank_p, chance)


def together(found: Sequence[Judged]) -> list[Judged]:
    """The same metric of all pairs: what would not stand among so many becomes no difference."""
    chances = [one.chance for one in found if one.chance is not None]
    stands = iter(statistics.discoveries(chances))
    kept = []
    for one in found:
        stays = next(stands) if one.chance is not None else True
        remark = f"by itself a difference, but one of {len(chances)} cases may look so by chance"
        kept.append(one if stays or not one.differs else replace(one, verdict=NONE, remark=remark))
    return kept


def _exactly(a: Figure, b: Figure) -> Ratio | str:
    if not a.value or b.value is None:
        return "nothing to compare with: A's is 0"
    value = b.value / a.value
    return Ratio(value, value, value, 0.0, 0.0)


def _ratio(a: Figure, b: Figure) -> Ratio | str:
    if a.launches and b.launches:
        return statistics.launch_ratio(a.launches, b.launches)
    sides = [_moments(figure) for figure in (a, b)]
    for figure, moments in zip((a, b), sides, strict=True):
        if moments is None:
            return f"no interval: {figure.reason or 'it is known of too few launches'}"
    first, second = (moments for moments in sides if moments)
    if first[0] <= 0 or second[0] <= 0:
        return "a figure is not positive, so there is no ratio"
    return statistics.ratio_of_means(first, second)


def _moments(figure: Figure) -> tuple[float, float, int] | None:
    """Mean, its standard error, and the launches behind it."""
    if figure.error is not None and figure.value is not None:
        return figure.value, figure.error, figure.count
    count = len(figure.launches)
    if count < statistics.LEAST_LAUNCHES:
        return None
    mean = math.fsum(figure.launches) / count
    squares = math.fsum((value - mean) ** 2 for value in figure.launches)
    return mean, math.sqrt(squares / (count - 1) / count), count


def _accuracy(judged: Judged, first: tuple[int, int], second: tuple[int, int]) -> Judged:
    if first[1] != second[1]:
        remark = f"other inputs: {first[1]} in A, {second[1]} in B"
        return replace(judged, verdict=INCOMPARABLE, remark=remark)
    low, high = (100 * end for end in statistics.share_difference(first, second))
    changed = second[0] - first[0]
    verdict = judged.metric.more if low > 0 else judged.metric.less if high < 0 else NONE
    remark = f"{changed:+d} of {first[1]} inputs right" if changed else "the same number of inputs right"
    return replace(judged, verdict=verdict, remark=remark, points=(100 * changed / first[1], low, high))


def _remark(found: Ratio, least: float) -> str | None:
    """What is known of a difference that was not shown."""
    if found.error == 0 and found.value == 1:
        return "the same"
    if found.low > 1 or found.high < 1:
        return f"a difference, but not shown to reach {percent(least)}"
    if 1 / (1 + least) <= found.low and found.high <= 1 + least:
        return f"equal within {percent(least)}"
    farthest = max(found.high, 1 / found.low)
    return f"up to {percent(farthest - 1)} may hide in the scatter" if farthest > _WIDE else None


def percent(share: float) -> str:
    """``1 %``, ``0.5 %``, ``12 %``."""
    return f"{100 * share:.2g} %" if share < 1 else f"{100 * share:.0f} %"

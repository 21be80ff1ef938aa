"""Cases whose launches land in speed modes: compared mode by mode in words, never by one interval.

A mean over modes describes no launch, and an interval around a ratio of two such means would be a false one.
A difference is called one only where it needs no model of the modes: where every launch of one side lies
beyond every launch of the other by more than the least difference that matters, which by chance happens to
5 against 5 launches in 1 of 126 cases. Among more than six cases that alone would never stand, so how far
apart the sides lie counts, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.compare.judgement import INCOMPARABLE, NONE, Judged, look
from orchestrator.compare.metrics import TIME, Figure, Metric
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.ratio import LEVEL, Ratio, launch_ratio, mann_whitney

_UNITS = (("us", 1e3), ("ms", 1e6), ("s", 1e9))
Modes = Sequence[Sequence[float]]


def modes_of(launches: Sequence[float]) -> Modes:
    """The launches (ns) in groups, ascending."""
    return speed_modes(launches)


def is_moded(judged: Judged) -> bool:
    """Whether the launches of either side are in more than one mode."""
    sides = (judged.a.launches, judged.b.launches)
    return all(sides) and any(len(modes_of(launches)) > 1 for launches in sides)


def judge(metric: Metric, a: Figure, b: Figure, least: float) -> Judged:
    """One metric of one pair by itself: times whose launches land in modes by these, all else by interval."""
    judged = look(metric, a, b, least)
    return by_modes(judged, least) if metric.unit == TIME and is_moded(judged) else judged


def by_modes(judged: Judged, least: float) -> Judged:
    """The metric of a pair of which ``is_moded`` holds, judged without an interval."""
    if judged.verdict == INCOMPARABLE:
        return judged
    a, b = judged.a.launches, judged.b.launches
    more = (separation(a, b) or 0.0) > 0
    chance = chance_beyond(a, b, 1 + least if more else 1 - least, above=more)
    verdict = NONE if chance >= LEVEL else judged.metric.more if more else judged.metric.less
    return replace(
        judged,
        verdict=verdict,
        remark=words(a, b, least),
        ratio=None,
        rank_p=mann_whitney(a, b),
        chance=chance,
    )


def chance_beyond(a: Sequence[float], b: Sequence[float], limit: float, above: bool) -> float:
    """p that all of B lies beyond ``limit`` times all of A by chance; 1.0 where it does not.

    That of the order of the launches, or Welch's of the distance where that is less: sides that lie far
    apart are no likelier to do so by chance because one of them has modes.
    """
    apart = min(b) / max(a) > limit if above else max(b) / min(a) < limit
    rank_p = mann_whitney(a, b)
    if not apart or rank_p is None or rank_p >= LEVEL:
        return 1.0
    found = launch_ratio(a, b)
    return min(rank_p, found.chance(limit, above)) if isinstance(found, Ratio) else rank_p


def separation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """How far all of B lies above all of A (0.05: 5 %), below it as a negative share; None: they overlap."""
    if min(b) > max(a):
        return min(b) / max(a) - 1
    if max(b) < min(a):
        return max(b) / min(a) - 1
    return None


def words(a: Sequence[float], b: Sequence[float], least: float) -> str:
    """``modes: 3 of 5 launches at 10.1 us and 2 of 5 at 12.0 us in A; 5 of 5 at 10.2 us in B; ...``."""
    mine, theirs = modes_of(a), modes_of(b)
    told = [f"modes: {_list(mine, len(a))} in A; {_list(theirs, len(b))} in B"]
    new = [group for group in theirs if not _known(group, mine, least)]
    gone = [group for group in mine if not _known(group, theirs, least)]
    told += [f"that at {time(_middle(group))} is in B alone" for group in new]
    told += [f"that at {time(_middle(group))} is in A alone" for group in gone]
    if not new and not gone:
        told.append("the same modes, whose shares so few launches cannot tell apart")
    return "; ".join(told)


def _known(group: Sequence[float], others: Modes, least: float) -> bool:
    """Whether it meets another group: within its range, widened by the least difference that matters."""
    low, high = min(group) / (1 + least), max(group) * (1 + least)
    return any(min(other) <= high and max(other) >= low for other in others)


def _list(groups: Modes, total: int) -> str:
    return " and ".join(f"{len(group)} of {total} launches at {time(_middle(group))}" for group in groups)


def _middle(group: Sequence[float]) -> float:
    return sum(group) / len(group)


def time(value_ns: float) -> str:
    """``10.1 us``: three digits are enough to tell modes apart."""
    unit, size = next(((unit, size) for unit, size in _UNITS if value_ns < 1000 * size), _UNITS[-1])
    return f"{value_ns / size:.3g} {unit}"

"""Which case the next launch of a budget goes to: where a second narrows most. Pure.

What a case still needs is a plain number: how many times its uncertainty is as large as wanted, done at 1.
The uncertainty of n launches is Student's t over their medians, ``t(n - 1) * s / sqrt(n)``, relative to
their mean; so one launch more is expected to take it to ``t(n) * s / sqrt(n + 1)``. The next launch goes
where that drop, down to what is wanted, is largest per second. The drop of one case shrinks with every
launch it gets, so this greedy choice makes the sum of what all cases still need as small as the budget
allows. docs/adr/0021-budget.md has the simulations.

An interval looked at after every launch is narrow too soon by luck. So a case is done only when the
interval was narrow at its last three counts, at least five launches in all.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.statistics.mode_figures import share_interval
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.student import student_t

LEAST_LAUNCHES = 5
STEADY_COUNTS = 3
# Beyond this many launches of a case the next one narrows by about 0.5 % of what there is.
MOST_LAUNCHES = 100
SHARE_WIDTH = 0.15  # a speed mode's share of launches is known well enough within 15 points
# Cases this near to the best one take turns by lot, so that drift does not fall on one of them alone.
NEAR_BEST = 0.7

NARROW = "all narrow enough"
SOUND_NARROW = "narrow enough, all but cases with launches that failed or are invalid"
SPENT = "budget spent"
CAP = f"every case left has {MOST_LAUNCHES} launches"
FAILING = "every case has launches that failed or are invalid"


@dataclass(frozen=True)
class Standing:
    """How far one case is."""

    case_id: str
    medians_ns: tuple[float, ...]  # of its good launches in their order
    half_width: float | None  # of the reported interval, relative to its p50; None: there is none
    cost_s: float  # mean of its launches, with the cool-down before them
    is_sound: bool = True  # no launch failed or is invalid: more of them would not make it better


@dataclass(frozen=True)
class Choice:
    """The case that gets the next launch, or None and why nobody does."""

    case_id: str | None
    reason: str | None = None


def choose(standings: Sequence[Standing], width: float, left_s: float, lot: random.Random) -> Choice:
    """The case whose next launch narrows most a second and is expected to end within ``left_s``.

    ``width``: the relative half-width that is wanted (0.02 is +-2 %).
    """
    sound = [one for one in standings if one.is_sound]
    if not sound:
        return Choice(None, FAILING)
    unfinished = [one for one in sound if need(one, width) > 1]
    if not unfinished:
        return Choice(None, NARROW if len(sound) == len(standings) else SOUND_NARROW)
    below_cap = [one for one in unfinished if len(one.medians_ns) < MOST_LAUNCHES]
    if not below_cap:
        return Choice(None, CAP)
    worth = {one.case_id: gain(one, width) / one.cost_s for one in below_cap if one.cost_s <= left_s}
    if not worth:
        return Choice(None, SPENT)
    best = max(worth.values())
    return Choice(lot.choice(sorted(name for name, value in worth.items() if value >= NEAR_BEST * best)))


def need(standing: Standing, width: float) -> float:
    """How many times a case's uncertainty is as large as wanted; at 1 or below it is done."""
    medians = standing.medians_ns
    launches = len(medians)
    if launches < 2:
        return math.inf
    modes = speed_modes(medians)
    if len(modes) > 1:
        shares = (share_interval(len(mode), launches) for mode in modes)
        wide = max((high - low) / 2 for low, high in shares) / SHARE_WIDTH
    else:
        counts = range(max(2, launches - STEADY_COUNTS + 1), launches + 1)
        wide = max(_half_width(medians[:count]) for count in counts) / width
        # The reported interval is another estimate: what is said to be narrow must look so.
        wide = max(wide, (standing.half_width or 0.0) / width)
    return max(wide, LEAST_LAUNCHES / launches)


def gain(standing: Standing, width: float) -> float:
    """By how much one launch more is expected to lower what the case needs, not counting below 1."""
    now, launches = need(standing, width), len(standing.medians_ns)
    if math.isinf(now):
        return math.inf
    if len(speed_modes(standing.medians_ns)) > 1:
        shrink = math.sqrt(launches / (launches + 1))
    else:
        shrink = _reach(launches + 1) / _reach(launches)
    return max(0.0, now - max(1.0, now * shrink))


def _reach(launches: int) -> float:
    """Half the interval's width in standard deviations of a launch."""
    return student_t(launches - 1) / math.sqrt(launches)


def _half_width(medians: Sequence[float]) -> float:
    mean = math.fsum(medians) / len(medians)
    if not mean:
        return 0.0
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in medians) / (len(medians) - 1))
    return _reach(len(medians)) * deviation / mean

"""Drift over a run and the order of trials: what interleaving does to the ratio of two cases.

Case A and case B are equally fast; the machine drifts by 10 %. Whatever their ratio then differs from 1 is
the order's doing. docs/adr/0004-order.md quotes the figures.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import fmean

import pytest

from orchestrator.domain import Case
from orchestrator.plan import interleave

DRIFT = 0.10
SEEDS = range(60)
Course = Callable[[float], float]  # place in the run, 0 to 1 -> share of the drift that is there


def linear(place: float) -> float:
    return place


def warming(place: float) -> float:
    """Most of it in the first third, as a board heats up."""
    return (1 - math.exp(-3 * place)) / (1 - math.exp(-3))


def step_at(edge: float) -> Course:
    return lambda place: float(place >= edge)


def wave(turn: float) -> Course:
    """Once up and down in a run, begun at any place of the wave."""
    return lambda place: 0.5 + 0.5 * math.sin(2 * math.pi * (place + turn))


def cases_of(count: int) -> list[Case]:
    return [Case("board", "alpha", f"model-{number:02}") for number in range(count)]


def bias(order: Sequence[Case], course: Course, a: Case, b: Case) -> float:
    """How far the ratio of the two cases' means lies from 1."""
    found: dict[Case, list[float]] = {a: [], b: []}
    for number, case in enumerate(order):
        if case in found:
            found[case].append(1 + DRIFT * course(number / (len(order) - 1)))
    return abs(fmean(found[b]) / fmean(found[a]) - 1)


def interleaved(count: int, launches: int, course: Course, seed: int) -> float:
    cases = cases_of(count)
    order = [trial.case for trial in interleave(cases, launches, seed)]
    return bias(order, course, cases[0], cases[-1])


def sequential(launches: int, course: Course) -> float:
    a, b = cases_of(2)
    return bias([a] * launches + [b] * launches, course, a, b)


@pytest.mark.parametrize("launches", [5, 10])
@pytest.mark.parametrize(("course", "least"), [(linear, 0.05), (warming, 0.04)])
def test_a_steady_drift_leaves_one_per_cent_where_one_after_the_other_leaves_five(
    launches: int, course: Course, least: float
) -> None:
    assert sequential(launches, course) >= least
    for count in (2, 4, 16):
        assert max(interleaved(count, launches, course, seed) for seed in SEEDS) <= 0.01


@pytest.mark.parametrize("launches", [2, 4, 10])
def test_a_linear_drift_cancels_out_over_pairs_of_rounds(launches: int) -> None:
    for count in (2, 5, 16):
        assert max(interleaved(count, launches, linear, seed) for seed in SEEDS) < 1e-12


@pytest.mark.parametrize("launches", [5, 10])
def test_of_a_step_no_more_is_left_than_one_launch_holds(launches: int) -> None:
    """A step falls inside one round: one launch of A may be before it that has its B behind it."""
    lot = random.Random(launches)
    found = [interleaved(8, launches, step_at(lot.uniform(0, 1)), seed) for seed in SEEDS]
    assert max(found) <= DRIFT / launches + 1e-12
    assert fmean(found) <= DRIFT / launches / 2
    assert sequential(launches, step_at(0.5)) >= 0.09


@pytest.mark.parametrize(("launches", "mean", "most"), [(5, 0.01, 0.025), (10, 0.005, 0.01)])
def test_a_wave_as_long_as_the_run_leaves_one_per_cent_on_average(
    launches: int, mean: float, most: float
) -> None:
    lot = random.Random(launches)
    found = [interleaved(8, launches, wave(lot.uniform(0, 1)), seed) for seed in SEEDS]
    assert fmean(found) <= mean
    assert max(found) <= most
    assert sequential(launches, wave(0.0)) >= 0.05

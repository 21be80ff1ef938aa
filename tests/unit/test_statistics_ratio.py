"""Ratios of launches: the interval covers what it says, tests agree with known values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.statistics.ratio import (
    LEVEL,
    Ratio,
    discoveries,
    launch_ratio,
    mann_whitney,
    ratio_of_means,
    share_difference,
)

CASES = 600  # the standard error of a coverage of 95 % is 0.9 %
Random = np.random.Generator


def normal(random: Random, count: int) -> np.ndarray:
    return 1 + 0.02 * random.normal(size=count)


def skewed(random: Random, count: int) -> np.ndarray:
    return np.exp(0.1 * random.normal(size=count)) / math.exp(0.1**2 / 2)


def exponential(random: Random, count: int) -> np.ndarray:
    return 1 + 0.02 * (random.exponential(size=count) - 1)


def heavy(random: Random, count: int) -> np.ndarray:
    return 1 + 0.02 * random.standard_t(3, size=count) / math.sqrt(3)


@pytest.mark.parametrize("counts", [(5, 5), (3, 3), (3, 5), (5, 10)], ids=str)
@pytest.mark.parametrize("launches", [normal, skewed, exponential, heavy])
def test_an_interval_holds_the_true_ratio_as_often_as_it_says(
    launches: Callable[[Random, int], np.ndarray], counts: tuple[int, int]
) -> None:
    random, held = np.random.default_rng(7), 0
    for _ in range(CASES):
        first, second = launches(random, counts[0]), 1.07 * launches(random, counts[1])
        found = launch_ratio(first.tolist(), second.tolist())
        assert isinstance(found, Ratio)
        held += found.low <= 1.07 <= found.high
    assert 0.93 <= held / CASES <= 0.99


def test_a_ratio_by_hand() -> None:
    """Equal scatter on both sides: t with 8 degrees of freedom."""
    found = launch_ratio([98, 99, 100, 101, 102], [196, 198, 200, 202, 204])
    assert isinstance(found, Ratio)
    error = math.sqrt(2 * 2.5 / 5) / 100
    assert (found.value, found.degrees) == (pytest.approx(2), pytest.approx(8))
    assert found.error == pytest.approx(error)
    assert found.high == pytest.approx(2 * math.exp(2.306004 * error))
    assert found.low == pytest.approx(2 / math.exp(2.306004 * error))


def test_sides_known_by_mean_and_error_give_the_same() -> None:
    first, second = [10.0, 10.2, 9.9], [11.0, 11.5, 11.1, 11.2]
    moments = [
        (float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))), len(values))
        for values in (first, second)
    ]
    one, other = launch_ratio(first, second), ratio_of_means(moments[0], moments[1])
    assert isinstance(one, Ratio)
    assert (one.low, one.high) == (pytest.approx(other.low), pytest.approx(other.high))


values = st.lists(st.floats(1, 1e9), min_size=2, max_size=8)


@given(values, values)
def test_sides_swapped_turn_the_interval_over(first: list[float], second: list[float]) -> None:
    one, other = launch_ratio(first, second), launch_ratio(second, first)
    assert isinstance(one, Ratio) and isinstance(other, Ratio)
    assert one.low <= one.value <= one.high
    assert one.low * other.high == pytest.approx(1)


@given(values, values, st.floats(0.2, 5))
def test_chance_and_interval_say_the_same(first: list[float], second: list[float], limit: float) -> None:
    found = launch_ratio(first, second)
    assert isinstance(found, Ratio)
    if abs(found.low / limit - 1) > 1e-9 and found.error < 10:
        assert (found.chance(limit, above=True) < LEVEL) == (found.low > limit)
    if abs(found.high / limit - 1) > 1e-9 and found.error < 10:
        assert (found.chance(limit, above=False) < LEVEL) == (found.high < limit)


def test_launches_without_scatter_have_an_interval_without_width() -> None:
    found = launch_ratio([3, 3, 3], [3.3, 3.3])
    assert isinstance(found, Ratio)
    assert found.low == found.high == found.value == pytest.approx(1.1)
    assert found.chance(1.05, above=True) == 0.0
    assert found.chance(1.2, above=True) == 1.0


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [([5.0], [5.0, 6.0], "needs 2 launches on both sides, one has 1"), ([0.0, 1.0], [1.0, 2.0], "positive")],
)
def test_where_there_is_no_ratio_it_says_why(first: list[float], second: list[float], reason: str) -> None:
    found = launch_ratio(first, second)
    assert isinstance(found, str) and reason in found


def test_the_rank_test_is_exact_and_silent_where_it_can_never_speak() -> None:
    assert mann_whitney([1, 2, 3], [4, 5, 6]) is None
    assert mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(2 / 252)
    assert mann_whitney([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)
    assert mann_whitney([1, 3, 5, 7], [2, 4, 6, 8]) == pytest.approx(48 / 70)
    # Equal values: two of the 70 orders are as extreme as this one.
    assert mann_whitney([1, 1, 1, 1], [2, 2, 2, 2]) == pytest.approx(2 / 70)
    assert mann_whitney([1, 1, 1, 1], [1, 1, 1, 1]) == pytest.approx(1)


def test_many_comparisons_are_counted() -> None:
    """Benjamini and Hochberg's own rule: the k-th smallest of m against k / m times 5 %."""
    assert discoveries([]) == []
    assert discoveries([0.04]) == [True]
    assert discoveries([0.04, 0.9, 0.9, 0.9]) == [False] * 4
    assert discoveries([0.001, 0.03, 0.02, 0.9]) == [True, True, True, False]


@pytest.mark.parametrize(("right", "copied"), [(0.5, 0.0), (0.9, 0.0), (0.9, 0.8), (0.99, 0.5)])
def test_a_difference_of_shares_is_held_under_any_dependence(right: float, copied: float) -> None:
    """``copied``: the share of inputs on which the second answers as the first does."""
    random, held, tries, total = np.random.default_rng(3), 0, 200, 120
    for _ in range(tries):
        first = random.random(total) < right
        second = np.where(random.random(total) < copied, first, random.random(total) < right)
        low, high = share_difference((int(first.sum()), total), (int(second.sum()), total))
        held += low <= 0 <= high
    assert held / tries >= 0.95


def test_a_difference_of_shares_is_found() -> None:
    low, high = share_difference((950, 1000), (800, 1000))
    assert -0.22 < low < -0.15 < high < -0.1


def test_both_ends_of_a_difference_are_clopper_and_pearsons() -> None:
    from scipy import stats

    for first, second in (((0, 20), (20, 20)), ((359, 360), (340, 360))):
        ends = [stats.binomtest(*side).proportion_ci(0.975, method="exact") for side in (first, second)]
        low, high = share_difference(first, second)
        assert (low, high) == (
            pytest.approx(ends[1].low - ends[0].high),
            pytest.approx(ends[1].high - ends[0].low),
        )

"""The interval of a case: its inner level is exact, and it says what it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.domain import Interval
from orchestrator.statistics.bootstrap import launch_interval, resampled_medians
from orchestrator.statistics.quantiles import median


@pytest.mark.parametrize("size", [1, 2, 3, 8, 21, 50])
def test_inner_resampling_is_exact(size: int) -> None:
    """The shortcut has the distribution of the median of a real resample, over all its values."""
    random = np.random.default_rng(5)
    values = np.sort(random.integers(0, 1000, size)).astype(float)
    draws = 40_000
    real = np.median(values[random.integers(0, size, (draws, size))], axis=1)
    short = resampled_medians([values], np.zeros((draws, 1), dtype=np.int64), random)[:, 0]
    grid = np.unique(np.concatenate([real, short]))
    distance = np.abs(
        np.searchsorted(np.sort(real), grid, side="right")
        - np.searchsorted(np.sort(short), grid, side="right")
    ).max()
    # Kolmogorov-Smirnov: at 1.95 the chance of a false alarm is 0.1 %.
    assert distance / draws < 1.95 * math.sqrt(2 / draws)


def test_windows_of_different_lengths_keep_to_their_own_values() -> None:
    random = np.random.default_rng(0)
    windows = [np.array([1.0, 2.0, 3.0]), np.array([100.0]), np.array([50.0, 60.0])]
    medians = resampled_medians(windows, np.tile([0, 1, 2], (500, 1)), random)
    assert set(medians[:, 0]) <= {1.0, 2.0, 3.0}
    assert set(medians[:, 1]) == {100.0}
    assert set(medians[:, 2]) == {50.0, 55.0, 60.0}


def _windows(launches: int, seed: int = 1) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.normal(1e7 * (1 + 0.02 * i), 1e5, 1000).astype(int).tolist() for i in range(launches)]


@pytest.mark.parametrize("launches", [1, 2])
def test_two_launches_have_no_interval_and_say_why(launches: int) -> None:
    assert launch_interval(_windows(launches), 0) == (
        f"an interval needs at least 3 launches, this case has {launches}"
    )


@pytest.mark.parametrize(
    ("launches", "method"),
    [(3, "Student t over 3 launches"), (5, "hierarchical bootstrap-t over 5 launches")],
)
def test_the_interval_holds_the_estimate_and_names_its_method(launches: int, method: str) -> None:
    windows = _windows(launches)
    interval = launch_interval(windows, 0)
    assert isinstance(interval, Interval)
    estimate = sum(map(median, windows)) / launches
    assert interval.low_ns < estimate < interval.high_ns
    assert interval.method == method


def test_the_same_seed_gives_the_same_interval() -> None:
    assert launch_interval(_windows(5), 7) == launch_interval(_windows(5), 7)
    assert launch_interval(_windows(5), 7) != launch_interval(_windows(5), 8)


def test_launches_far_apart_never_reach_below_zero() -> None:
    windows = [[value] * 10 for value in (1, 1, 2, 3, 1000)]
    interval = launch_interval(windows, 0)
    assert isinstance(interval, Interval)
    assert interval.low_ns == 0.0


def test_the_interval_reaches_further_to_the_side_of_the_tail() -> None:
    """Few launches far above the others mean that more of them may be unseen, not fewer."""
    windows = [[value] * 10 for value in (1000, 1010, 1020, 1050, 1300)]
    interval = launch_interval(windows, 0)
    assert isinstance(interval, Interval)
    assert interval.high_ns - 1076 > 1.5 * (1076 - interval.low_ns) > 0


def test_almost_equal_launches_get_a_finite_interval() -> None:
    """Four equal windows make a third of the resamples degenerate: t has no finite tail there."""
    interval = launch_interval([[100] * 10] * 4 + [[101] * 10], 0)
    assert isinstance(interval, Interval)
    assert 99 < interval.low_ns < 100.2 < interval.high_ns < 102
    method = "hierarchical bootstrap-t over 5 launches"
    assert launch_interval([[100] * 10] * 5, 0) == Interval(100.0, 100.0, method)


def test_one_slow_launch_does_not_make_the_interval_absurd() -> None:
    windows = [[round(value * 1e6)] * 10 for value in (38.0, 38.2, 38.1, 38.5, 45.0)]
    interval = launch_interval(windows, 0)
    assert isinstance(interval, Interval)
    assert interval.high_ns < 50e6

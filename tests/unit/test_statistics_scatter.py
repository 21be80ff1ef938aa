"""Where differences come from: what was put into launches and windows is found again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.processes import CENTRE_NS, Array, Random, autoregressive
from orchestrator.domain import Quantile
from orchestrator.statistics.mode_figures import mode_figures, share_interval
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.noise import long_run_deviation, worth
from orchestrator.statistics.quantiles import median
from orchestrator.statistics.scatter import memory, scatter
from orchestrator.statistics.settling import Head, head
from orchestrator.statistics.stability import launch_apart, trend

P999 = Quantile(None, "n too small: 5 of 6636")
WINDOW = st.lists(st.integers(1, 10**10), min_size=1, max_size=60)


def _windows(random: Random, between: float, within: float, alike: float, launches: int = 10) -> Array:
    noise = autoregressive(random, launches, 200, alike)
    return CENTRE_NS * (1 + between * random.normal(0, 1, (launches, 1)) + within * noise)


@pytest.mark.parametrize(("alike", "worth"), [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)])
def test_the_parts_of_the_variance_are_told_apart(alike: float, worth: float) -> None:
    """2 % between launches and 5 % inside: a plain deviation of medians would say up to 5 %."""
    random, squares, counts, neighbours = np.random.default_rng(1), [], [], []
    for _ in range(100):
        windows = _windows(random, 0.02, 0.05, alike).astype(np.int64).tolist()
        found = scatter(windows, [median(window) for window in windows], P999)
        assert found.between_cv is not None and found.autocorrelation is not None
        squares.append(found.between_cv**2)
        counts.append(found.effective_iterations)
        neighbours.append(found.autocorrelation)
        assert found.within_cv == pytest.approx(0.05, rel=0.35)
    # Where hardly ten iterations of a window count, both are found a little too small or too large.
    assert math.sqrt(np.mean(squares)) == pytest.approx(0.02, rel=0.25)
    assert np.mean(counts) == pytest.approx(2000 / worth, rel=0.6)
    assert np.mean(neighbours) == pytest.approx(alike, abs=0.05)


@pytest.mark.parametrize("alike", [0.0, 0.8, 0.9])
def test_the_uncertainty_of_a_mean_is_found_under_trend_and_memory(alike: float) -> None:
    random = np.random.default_rng(2)
    rows = autoregressive(random, 50, 1000, alike) + np.linspace(0, 5, 1000)
    expected = math.sqrt((1 + alike) / (1 - alike))
    assert np.mean([long_run_deviation(row) for row in rows.tolist()]) == pytest.approx(expected, rel=0.25)


def test_one_slow_iteration_hides_no_correlation() -> None:
    row = 1e6 * (10 + autoregressive(np.random.default_rng(3), 1, 500, 0.7)[0])
    row[100] *= 50
    assert memory(row)[0] == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_what_iterations_are_worth_is_found_in_both_ways(alike: float) -> None:
    rows = 1e6 * (10 + autoregressive(np.random.default_rng(3), 50, 1000, alike))
    expected = 1000 * (1 - alike) / (1 + alike)
    assert np.mean([memory(row)[1] for row in rows]) == pytest.approx(expected, rel=0.3)
    assert np.mean([worth(row) for row in rows.tolist()]) == pytest.approx(expected, rel=0.5)
    assert (worth([5] * 100), worth([7])) == (100, 1)


@given(WINDOW)
def test_iterations_are_worth_no_more_than_they_are(window: list[int]) -> None:
    assert 0 < worth(window) <= len(window)


@given(st.lists(WINDOW, min_size=1, max_size=6))
def test_any_latencies_have_a_scatter(windows: list[list[int]]) -> None:
    found = scatter(windows, [median(window) for window in windows], P999)
    assert 0 <= found.within_cv < math.inf
    assert found.between_cv is None if len(windows) == 1 else found.between_cv >= 0
    assert found.autocorrelation is None or -1 <= found.autocorrelation <= 1
    assert 0 < found.effective_iterations <= sum(map(len, windows))


@given(WINDOW, st.integers(2, 1000))
def test_scatter_does_not_depend_on_the_unit(window: list[int], factor: int) -> None:
    windows = [window, window[::-1]]
    one = scatter(windows, [median(each) for each in windows], P999)
    larger = [[factor * value for value in each] for each in windows]
    other = scatter(larger, [median(each) for each in larger], P999)
    assert other.within_cv == pytest.approx(one.within_cv, rel=1e-6, abs=1e-9)
    assert other.effective_iterations == pytest.approx(one.effective_iterations, rel=1e-3)


@given(st.lists(st.floats(1, 1e12), max_size=40))
def test_modes_share_out_every_launch(medians: list[float]) -> None:
    groups = speed_modes(medians)
    assert [value for group in groups for value in group] == sorted(medians)
    assert sum(len(group) == 1 for group in groups) <= 1 or len(groups) == 1
    windows = [[int(value)] for value in medians]
    figures = mode_figures(
        windows, [float(window[0]) for window in windows], speed_modes([w[0] for w in windows]), 0
    )
    assert not figures or sum(mode.launches for mode in figures) == len(medians)
    for mode in figures:
        assert 0 <= mode.share_low <= mode.share <= mode.share_high <= 1
        assert (mode.low_ns is None) == (mode.launches < 3)


def test_wilsons_interval_is_that_of_its_paper() -> None:
    assert share_interval(3, 10) == pytest.approx((0.1078, 0.6032), abs=1e-4)
    assert share_interval(0, 5) == pytest.approx((0.0, 0.4345), abs=1e-4)
    with pytest.raises(ValueError, match="6 of 5"):
        share_interval(6, 5)


def _decay(alike: float, amplitude: float, tau: float, count: int, rows: int = 50) -> list[list[float]]:
    course = 1 + amplitude * np.exp(-np.arange(count) / tau)
    noise = autoregressive(np.random.default_rng(5), rows, count, alike)
    found: list[list[float]] = (CENTRE_NS * course * (1 + 0.02 * noise)).tolist()
    return found


@pytest.mark.parametrize(("amplitude", "tau", "count"), [(0.3, 20, 200), (0.3, 50, 1000), (0.2, 100, 1000)])
def test_warm_up_left_in_a_window_is_found(amplitude: float, tau: float, count: int) -> None:
    heads = [head(row) for row in _decay(0.5, amplitude, tau, count)]
    assert sum(found is not None and found.change > 0.05 for found in heads) >= 45


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("size", [64, 200, 1000])
def test_steady_windows_have_no_warm_up_and_no_trend(size: int, alike: float) -> None:
    """At most 5 % false alarms, whatever the noise; a tenth of the latency here."""
    rows = (CENTRE_NS * (1 + 0.1 * autoregressive(np.random.default_rng(7), 200, size, alike))).tolist()
    assert sum(head(row) is not None for row in rows) <= 10
    assert sum(trend(row) is not None for row in rows) <= 10


def test_a_head_says_what_it_does_to_the_median() -> None:
    window = [130] * 20 + [100, 101, 99, 100] * 20
    assert head([1_000_000 * value for value in window]) == Head(20, pytest.approx(0.3), 0.0)
    assert head(window[:40]) is None  # too short to tell
    long = [1_000_000 * value for value in [130] * 2000 + [100, 101, 99, 100] * 4500]
    assert head(long) == Head(pytest.approx(2000, rel=0.01), pytest.approx(0.3), 0.0)
    assert head([5] * 100) is None


@given(st.lists(st.integers(0, 10**12), max_size=120))
def test_any_window_has_a_head_or_none(values: list[int]) -> None:
    found = head(values)
    assert found is None or (5 <= found.iterations <= len(values) / 4 and abs(found.change) >= 0.05)


def test_a_launch_apart_is_named() -> None:
    assert launch_apart([100.0, 101.0, 99.0, 130.0, 100.0]) == (3, pytest.approx(0.3))
    assert launch_apart([100.0, 101.0, 70.0, 99.0, 100.0]) == (2, pytest.approx(-0.3, abs=0.01))
    assert launch_apart([100.0, 101.0, 99.0, 105.0, 100.0]) is None
    assert launch_apart([100.0, 200.0, 100.0]) is None

"""What the intervals and modes of a case hold, over 1,000 simulated cases whose truth is known.

The standard error of a coverage of 95 % is then 0.7 %. Longer sweeps: ``python -m benchmarks coverage``.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.coverage import tally
from benchmarks.processes import PROCESSES, UNIMODAL, one_slow
from orchestrator.domain import Interval
from orchestrator.statistics.bootstrap import launch_interval
from orchestrator.statistics.mode_figures import share_interval
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.stability import stability

CASES = 1000
QUIET = [0.01] * 5


# Five values cannot show how far an exponential tail reaches; docs/adr/0020-statistics.md says so.
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("normal", 0.93),
        ("lognormal", 0.93),
        ("heavy", 0.93),
        ("autocorrelated", 0.93),
        ("exponential", 0.92),
    ],
)
def test_intervals_of_five_launches_hold_the_truth_in_93_to_97_percent(name: str, least: float) -> None:
    random, process = np.random.default_rng(20), PROCESSES[name]
    hits = 0
    for seed in range(CASES):
        windows = process.windows(random, 5, 51).astype(np.int64).tolist()
        interval = launch_interval(windows, seed)
        assert isinstance(interval, Interval)
        hits += interval.low_ns <= process.truth_ns <= interval.high_ns
    assert least <= hits / CASES <= 0.97


def test_ten_launches_in_three_modes_are_told_as_modes() -> None:
    """Found in 9 of 10 cases; intervals of shares hold more than 95 %, as no mode is missing then."""
    told = tally(np.random.default_rng(21), 10, CASES)
    assert told.found >= 0.9 * CASES
    assert 0.93 <= np.mean(told.p50) <= 0.97
    assert np.mean(told.share) >= 0.93


def test_five_launches_whose_modes_were_not_seen_still_hold_the_mean() -> None:
    told = tally(np.random.default_rng(22), 5, CASES)
    assert told.found >= 0.35 * CASES
    assert np.mean(told.mixture) >= 0.93


@pytest.mark.parametrize("shape", UNIMODAL)
@pytest.mark.parametrize("launches", [4, 5, 6, 8, 10, 20, 30])
def test_launches_of_one_mode_are_rarely_split(shape: str, launches: int) -> None:
    rows = 1 + UNIMODAL[shape](np.random.default_rng(3), (CASES, launches))
    assert sum(len(speed_modes((1e7 * row).tolist())) > 1 for row in rows) <= 0.05 * CASES


@pytest.mark.parametrize("launches", [5, 10, 30])
def test_quiet_launches_are_stable(launches: int) -> None:
    """Normal and heavy-tailed launches of 2 %."""
    random = np.random.default_rng(4)
    for rows in (random.normal(0, 1, (CASES, launches)), random.standard_t(3, (CASES, launches)) / 1.7):
        said = [_said(row) for row in (1e7 * (1 + 0.02 * rows)).tolist()]
        assert said.count("STABLE") >= 0.95 * CASES
        assert said.count("MULTIMODAL") <= 0.01 * CASES


@pytest.mark.parametrize("launches", [5, 10, 30])
def test_one_slow_launch_is_unstable_and_no_mode(launches: int) -> None:
    random = np.random.default_rng(5)
    said = [_said(one_slow(random, launches).tolist()) for _ in range(CASES)]
    assert said.count("UNSTABLE") >= 0.85 * CASES
    assert said.count("MULTIMODAL") <= 0.01 * CASES


def test_what_differs_by_a_tenth_is_unstable() -> None:
    assert _said([1e7, 1.1e7, 1.2e7, 1.3e7, 1.4e7]) == "UNSTABLE"
    assert _said([1e7, 1.01e7]) is None
    quiet = [1e7, 1.01e7, 1.02e7]
    assert stability(quiet, 1, [0.01, 0.2, 0.01]) == "STABLE"  # one window of several may be disturbed
    assert stability(quiet, 1, [0.01, 0.2, 0.2]) == "UNSTABLE"


@pytest.mark.parametrize("launches", [5, 10, 20, 30])
@pytest.mark.parametrize("share", [0.2, 1 / 3, 0.5])
def test_shares_lie_in_their_intervals(launches: int, share: float) -> None:
    """Computed, not simulated: the binomial chance of all counts whose interval holds the share."""
    chance = 0.0
    for seen in range(launches + 1):
        low, high = share_interval(seen, launches)
        if low <= share <= high:
            chance += math.comb(launches, seen) * share**seen * (1 - share) ** (launches - seen)
    assert chance >= 0.93


def _said(medians: list[float]) -> str | None:
    return stability(medians, len(speed_modes(medians)), QUIET)

"""Signs of instability are seen where they are and not where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.processes import UNIMODAL
from orchestrator.statistics.latency import launch_latency
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.stability import (
    between_launch_cv,
    extremes,
    outliers,
    slow_first,
    spread,
    trend,
)


def test_spread_and_extremes_are_shares_of_the_mean() -> None:
    latency = launch_latency([50, 100, 150])
    assert spread(latency) == pytest.approx(0.5)
    assert extremes(latency) == pytest.approx((-0.5, 0.5))


def test_outliers_are_those_of_hyperfine() -> None:
    """The examples of its ``outlier_detection.rs``, in units that make the clock's step negligible."""
    million = 1e6
    assert outliers([-0.2 * million, 0, 0.2 * million, 4 * million]) == 1
    assert outliers([value * million for value in (0.5, 0.30, 0.29, 0.31, 0.30)]) == 1
    assert outliers([-0.2 * million, 0, 0.2 * million]) == 0
    assert outliers([10 * million] * 8 + [100 * million]) == 1  # MAD 0


def test_one_tick_of_the_clock_is_no_outlier() -> None:
    assert outliers([1000] * 50 + [1001, 999, 1005]) == 0


def test_a_rising_window_has_a_trend_and_a_noisy_one_has_none() -> None:
    random = np.random.default_rng(1)
    noise = 1e6 * (1 + 0.03 * random.normal(0, 1, 500))
    assert trend((noise * np.linspace(1, 1.2, 500)).tolist()) == pytest.approx(0.13, abs=0.02)
    assert trend((noise * np.linspace(1.2, 1, 500)).tolist()) == pytest.approx(-0.12, abs=0.02)
    assert trend(noise.tolist()) is None
    assert trend([1, 2, 3]) is None


def test_trend_alarms_falsely_in_few_windows() -> None:
    random = np.random.default_rng(2)
    alarms = sum(trend((1e6 * (1 + 0.1 * random.normal(0, 1, 64))).tolist()) is not None for _ in range(500))
    assert alarms <= 25


def test_between_launch_cv() -> None:
    assert between_launch_cv([90.0, 110.0]) == pytest.approx(14.142 / 100, rel=1e-4)
    assert between_launch_cv([90.0]) is None


def test_a_slow_first_launch_is_seen() -> None:
    assert slow_first([130.0, 100.0, 101.0, 99.0, 100.0]) == pytest.approx(0.3)
    assert slow_first([105.0, 100.0, 101.0, 99.0, 100.0]) is None
    assert slow_first([100.0, 130.0, 101.0, 99.0, 100.0]) is None
    assert slow_first([200.0, 100.0, 100.0]) is None


@pytest.mark.parametrize("shape", UNIMODAL)
@pytest.mark.parametrize("launches", [5, 10])
def test_a_slow_first_launch_is_rarely_seen_by_chance(shape: str, launches: int) -> None:
    rows = 1 + UNIMODAL[shape](np.random.default_rng(3), (1000, launches))
    assert sum(slow_first(row.tolist()) is not None for row in rows) <= 60


def test_modes_of_a_public_data_set_are_found() -> None:
    """MobileNetV2 int8 on a Raspberry Pi 5: 21.7, 25.3 and 28 to 30 ms."""
    found = speed_modes([25.3e6, 21.7e6, 21.8e6, 25.4e6, 21.7e6, 29.3e6, 25.2e6, 29.4e6, 21.6e6, 29.2e6])
    assert [len(mode) for mode in found] == [4, 3, 3]
    assert found[1] == [25.2e6, 25.3e6, 25.4e6]


def test_modes_need_two_launches_and_five_percent() -> None:
    assert len(speed_modes([100.0, 100.1, 100.0, 100.1, 150.0])) == 1  # one launch apart
    assert len(speed_modes([1000.0, 1000.1, 1040.0, 1040.1, 1040.2])) == 1  # 4 %
    assert len(speed_modes([1000.0, 1000.1, 1060.0, 1060.1, 1060.2])) == 2
    assert speed_modes([1000.0, 1000.1, 1200.0]) == [[1000.0, 1000.1, 1200.0]]  # three launches show none
    assert speed_modes([]) == [[]]
    assert speed_modes([5.0]) == [[5.0]]


def test_one_launch_apart_may_stand_beside_two_modes() -> None:
    found = speed_modes([21.6e6, 21.7e6, 25.3e6, 29.3e6, 25.2e6, 21.7e6, 25.2e6, 21.6e6])
    assert [len(mode) for mode in found] == [4, 3, 1]


def test_two_modes_are_found_in_most_cases() -> None:
    random = np.random.default_rng(4)
    found = 0
    for _ in range(300):
        modes = np.array([1.0, 1.0, 1.17, 1.17, 1.17]) * (1 + 0.01 * random.normal(0, 1, 5))
        found += len(speed_modes((1e7 * modes).tolist())) == 2
    assert found > 210

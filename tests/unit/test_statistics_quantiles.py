"""Quantiles, the launch summary and percentile floors."""

from __future__ import annotations

import statistics as standard
import subprocess
import sys
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.statistics.latency import launch_latency
from orchestrator.statistics.percentiles import percentile_floor, pooled_quantiles
from orchestrator.statistics.quantiles import median, median_deviation, quantile, window_median

WINDOW = st.lists(st.integers(0, 10**12), min_size=1, max_size=50)


@given(WINDOW, st.floats(0, 1))
def test_quantile_is_type_seven(values: list[int], q: float) -> None:
    expected = float(np.quantile(np.array(values, dtype=float), q, method="linear"))
    assert quantile(sorted(values), q) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=50))
def test_a_windows_median_is_the_median(values: list[int]) -> None:
    assert window_median(array("q", values)) == window_median(values) == median(values)


@given(WINDOW)
def test_launch_latency_agrees_with_the_standard_library(values: list[int]) -> None:
    latency = launch_latency(values)
    assert (latency.count, latency.min_ns, latency.max_ns) == (len(values), min(values), max(values))
    assert latency.p50_ns == pytest.approx(standard.median(values))
    assert latency.mean_ns == pytest.approx(standard.fmean(values))
    spread = standard.stdev(values) if len(values) > 1 else 0.0
    assert latency.stdev_ns == pytest.approx(spread, rel=1e-6, abs=1e-6)


@given(WINDOW)
def test_median_deviation_is_that_of_its_definition(values: list[int]) -> None:
    centre = median(values)
    assert median_deviation(values, centre) == pytest.approx(standard.median(abs(v - centre) for v in values))


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        launch_latency([])


# The figures of LoadGen's early stopping with 99 % confidence and one query over the latency.
@pytest.mark.parametrize(("q", "floor"), [(0.9, 64), (0.99, 662), (0.999, 6636)])
def test_percentile_floors_are_loadgens(q: float, floor: int) -> None:
    assert percentile_floor(q) == floor


@pytest.mark.parametrize(("count", "known"), [(661, False), (662, True)])
def test_a_percentile_below_its_floor_is_unknown_with_the_reason(count: int, known: bool) -> None:
    windows = [list(range(300)), list(range(count - 300))]
    (found,) = pooled_quantiles(windows, (0.99,))
    if known:
        assert found.value_ns == quantile(sorted(windows[0] + windows[1]), 0.99)
    else:
        assert found.value_ns is None
        assert found.reason == "n too small: 661 of 662"


def test_per_trial_figures_do_not_load_numpy() -> None:
    """The measuring process stays small: numpy alone would cost it 25 MB."""
    program = (
        "import sys; from orchestrator import findings;"
        "from orchestrator.statistics import bootstrap, latency, mode_figures, modes, noise;"
        "from orchestrator.statistics import percentiles, quantiles, scatter, settling, stability;"
        "latency.launch_latency([1, 2, 3]); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0

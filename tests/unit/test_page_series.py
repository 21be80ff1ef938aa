"""Raw data made small: quantiles of a launch, readings on a launch's clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.page import series
from orchestrator.report.page.launches import Launch
from tests.support import pages, results

START_NS = 10**12


def reading(
    value: Any, at_ms: float, unit: str = "c", method: str = "sampled", **more: Any
) -> dict[str, Any]:
    at_ns = START_NS + int(at_ms * 1e6)
    line = {"type": "reading", "source": "s", "scope": "host", "method": method, "unit": unit, "value": value}
    return {**line, "reason": None, "t0_ns": at_ns, "t1_ns": at_ns, **more}


def drawn(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    record = results.record(results.case(), 0, [1000] * 5, **fields)
    return series.timeline(Launch(record, (), {"load": (START_NS, START_NS + 10**9)}, lambda: lines), 60)


def test_quantiles_keep_two_modes_apart() -> None:
    values = [1000] * 300 + [2000] * 300
    found = np.cumsum(series.quantiles(values, 41))
    assert (found < 1100).sum() == 20 and (found > 1900).sum() in (20, 21)


def test_quantiles_are_those_of_numpy_and_drawn_twice_the_same() -> None:
    values = np.random.default_rng(1).integers(1000, 10**9, 997)
    found = np.cumsum(series.quantiles(values.tolist(), 41))
    assert np.abs(found - np.quantile(values, (np.arange(41) + 0.5) / 41)).max() <= 0.5 + 1e-6
    assert series.quantiles(series.drawn(values.tolist(), 41), 41) == np.diff(found, prepend=0).tolist()


def test_a_short_window_is_given_whole() -> None:
    assert np.cumsum(series.quantiles([30, 10, 20], 41)).tolist() == [10, 20, 30]


@pytest.mark.parametrize(("launches", "count"), [(0, 101), (80, 101), (400, 50), (5000, 41)])
def test_more_launches_have_fewer_quantiles(launches: int, count: int) -> None:
    assert series.quantile_count(launches) == count


def test_readings_have_their_time_since_the_first_phase_and_their_unit() -> None:
    line = drawn(reading(2.4e9, 100, "hz"), reading(1.2e9, 1100, "hz"))
    assert line["phases"] == [["load", 0, 1000]]
    assert line["sources"] == [
        {"name": "s", "scope": "host", "unit": "MHz", "t": [100, 1100], "v": [2400, 1200]}
    ]


def test_a_counter_of_joules_is_drawn_as_watts() -> None:
    (source,) = drawn(*(reading(5.0 * step, 1000 * step, "j", "counter") for step in range(3)))["sources"]
    assert (source["unit"], source["t"], source["v"]) == ("W", [500, 1500], [5, 5])


def test_a_counter_that_began_anew_is_not_drawn_as_negative_power() -> None:
    values = (10.0, 12.0, 1.0, 3.0)
    (source,) = drawn(*(reading(v, 1000 * n, "j", "counter") for n, v in enumerate(values)))["sources"]
    assert source["v"] == [2, 2]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [reading(None, 0), reading(None, 1)],
        [reading(50.0, 0)],
        [reading(5, 0, "bytes", "peak"), reading(6, 1, "bytes", "peak")],
        [reading("P0", 0, "state"), reading("P1", 1, "state")],
    ],
)
def test_what_cannot_be_drawn_leaves_a_reason(lines: list[dict[str, Any]]) -> None:
    line = drawn(*lines)
    assert line["sources"] == [] and line["reason"] == "no source gave two readings"


def test_readings_of_another_clock_are_not_drawn() -> None:
    told = {"telemetry": {"reason": "boot id differs: runner a, telemetry b"}}
    line = drawn(reading(50.0, 0), reading(51.0, 1), telemetry=told)
    assert line["sources"] == [] and line["reason"].startswith("boot id differs")


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=400), st.sampled_from([20, 40, 60]))
def test_thinning_keeps_the_extremes_and_the_order(values: list[float], count: int) -> None:
    points = [(float(place), value) for place, value in enumerate(values)]
    kept = series.thinned(points, count)
    assert len(kept) <= count or len(points) <= count
    assert kept == sorted(kept) and set(kept) <= set(points)
    assert max(value for _, value in kept) == max(values) and min(value for _, value in kept) == min(values)


def test_a_timeline_stays_within_its_points() -> None:
    made = series.timeline(pages.launch(results.case(), 0, [1000] * 50), 20)
    assert {len(source["t"]) for source in made["sources"]} == {20}
    assert [name for name, *_ in made["phases"]] == list(pages.PHASES_MS)
    assert "cgroup.memory_peak" not in {source["name"] for source in made["sources"]}

"""Units are read strictly; the Pareto set is exactly what nobody beats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import InferometerError
from orchestrator.study.limits import BYTES, TIMES_NS, Candidate, Limits, misses, size_bytes, time_ns
from orchestrator.study.pareto import dominates, pareto


@pytest.mark.parametrize(
    ("text", "value"),
    [("5MB", 5e6), ("5MiB", 5 * 2**20), ("0.5kB", 500), ("800KB", 8e5), ("12B", 12), (" 1GiB ", 2**30)],
)
def test_sizes(text: str, value: float) -> None:
    assert size_bytes(text) == value


@pytest.mark.parametrize(("text", "value"), [("20ms", 2e7), ("1.5s", 1.5e9), ("800us", 8e5)])
def test_times(text: str, value: float) -> None:
    assert time_ns(text) == value


@pytest.mark.parametrize(
    "text", ["", "5", "MB", "5 MB", "5mb", "5M", "-5MB", "0MB", "1e3MB", "5MB!", "٥MB", "nanMB"]
)
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InferometerError, match="give a size like 5MB"):
        size_bytes(text)


@pytest.mark.parametrize("text", ["20", "20MS", "20 ms", "20min", "0ms", "infs", "20ns", ".5s"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(InferometerError, match="give a time like 20ms"):
        time_ns(text)


@given(st.integers(1, 10**9), st.sampled_from(sorted(BYTES)), st.sampled_from(sorted(TIMES_NS)))
def test_a_whole_number_with_a_unit_reads_back(number: int, size: str, time: str) -> None:
    assert size_bytes(f"{number}{size}") == number * BYTES[size]
    assert time_ns(f"{number}{time}") == number * TIMES_NS[time]


costs = st.tuples(*[st.integers(0, 4)] * 3)


@given(st.lists(costs, max_size=12))
def test_nobody_in_the_set_is_beaten_and_everybody_outside_is_by_a_member(
    points: list[tuple[int, ...]],
) -> None:
    items = list(enumerate(points))
    kept = set(pareto(items))
    for number, point in items:
        beaten = [other for other, better in items if dominates(better, point)]
        assert (number in kept) == (not beaten)
        if number not in kept:
            assert any(dominates(points[member], point) for member in kept)


@given(st.lists(costs, min_size=1, max_size=12))
def test_the_set_is_never_empty_nor_depends_on_order(points: list[tuple[int, ...]]) -> None:
    items = list(enumerate(points))
    assert pareto(items)
    assert set(pareto(items)) == set(pareto(items[::-1]))


def candidate(**fields: object) -> Candidate:
    known: dict[str, object] = {
        "model": "net", "variant": "fiq", "runtime": "tflite", "device": "board", "accuracy": 0.9,
        "drop_points": 0.5, "bytes": 4_000_000, "deflated_bytes": 3_000_000, "latency_ns": 1e7,
        "latency_high_ns": 1.1e7, "memory_bytes": 5 * 10**7,
    }  # fmt: skip
    return Candidate(**{**known, **fields})  # type: ignore[arg-type]


def test_a_figure_at_its_limit_qualifies() -> None:
    assert misses(candidate(), Limits(0.5, 4e6, 1e7, 5e7)) == []


def test_each_failed_limit_says_by_how_much() -> None:
    found = misses(candidate(), Limits(0.25, 2e6, 5e6, 2e7))
    assert [miss.text for miss in found] == [
        "accuracy drop 0.5 points: 0.25 points over 0.25 points",
        "size 4 MB: 2 MB over 2 MB",
        "latency 10 ms: 5 ms over 5 ms",
        "peak memory 50 MB: 30 MB over 20 MB",
    ]


def test_what_was_not_measured_fails_only_where_it_is_limited() -> None:
    unknown = candidate(drop_points=None, latency_ns=None)
    assert [miss.text for miss in misses(unknown, Limits(drop_points=1))] == [
        "accuracy drop was not measured"
    ]
    assert misses(unknown, Limits(bytes=5e6)) == []


def test_a_failed_case_never_qualifies() -> None:
    assert misses(candidate(why="oom"), Limits())[0].text == "oom"

"""Outputs against labels and against the reference."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import scoring
from orchestrator.domain import Parity, Score

nan, inf = math.nan, math.inf
finite = st.floats(-1e6, 1e6)


@given(st.integers(1, 8), st.integers(1, 12), st.data())
def test_rows_cut_a_batch(batch: int, width: int, data: st.DataObject) -> None:
    output = data.draw(st.lists(finite, min_size=batch * width, max_size=batch * width))
    rows = scoring.rows(output, batch)
    assert len(rows) == batch
    assert all(len(row) == width for row in rows)
    assert [value for row in rows for value in row] == output


@pytest.mark.parametrize(("output", "batch"), [([], 1), ([1.0, 2.0, 3.0], 2)])
def test_rows_refuse_what_does_not_divide(output: list[float], batch: int) -> None:
    with pytest.raises(ValueError, match="do not divide"):
        scoring.rows(output, batch)


@pytest.mark.parametrize(
    ("row", "index"),
    [
        ([0.1, 0.7, 0.2], 1),
        ([5], 0),
        ([-3, -1, -2], 1),
        ([2.0, 2.0], 0),
        ([0.1, None, 0.9], None),
        ([0.1, nan, 0.9], None),
        ([0.1, inf, 0.9], 1),
        ([-inf, -inf], None),
    ],
)
def test_top1(row: list[float | None], index: int | None) -> None:
    assert scoring.top1(row) == index


def test_score_counts_every_input_of_every_batch() -> None:
    outputs = {0: [0.9, 0.1, 0.2, 0.8], 1: [0.3, 0.7, 0.6, 0.4]}
    assert scoring.score(outputs, [[0, 1], [1, 1]]) == Score(3, 4)


def test_an_input_without_output_counts_as_wrong() -> None:
    assert scoring.score({1: [0.0, 1.0]}, [[0], [1], [1]]) == Score(1, 3)
    assert scoring.score({0: [nan, 1.0]}, [[1]]) == Score(0, 1)


@pytest.mark.parametrize("output", [[], [1.0, 2.0, 3.0]])
def test_an_output_of_another_size_counts_as_wrong(output: list[float]) -> None:
    assert scoring.score({0: output, 1: [0.0, 1.0, 0.0, 1.0]}, [[0, 1], [1, 1]]) == Score(2, 4)


def test_equal_outputs_are_at_parity() -> None:
    reference = [[0.1, 0.9], [0.8, 0.2]]
    assert scoring.compare(dict(enumerate(reference)), reference, 1) == Parity(2, 2, 0.0)


@given(st.lists(st.lists(finite, min_size=4, max_size=4), min_size=1, max_size=5), finite)
def test_the_difference_is_the_largest_of_all(reference: list[list[float]], shift: float) -> None:
    shifted = [[value + shift for value in row] for row in reference]
    parity = scoring.compare(dict(enumerate(shifted)), reference, 2)
    assert parity.total == 2 * len(reference)
    expected = max(
        abs(a - b) for x, y in zip(shifted, reference, strict=True) for a, b in zip(x, y, strict=True)
    )
    assert parity.max_abs_difference == expected


@pytest.mark.parametrize("bad", [None, nan, inf, -inf])
def test_a_value_that_is_no_number_leaves_no_difference(bad: float | None) -> None:
    parity = scoring.compare({0: [0.1, 0.9], 1: [bad, 0.9]}, [[0.1, 0.9], [0.2, 0.9]], 1)
    assert parity.total == 2
    assert parity.max_abs_difference is None


@pytest.mark.parametrize("outputs", [{}, {0: [1.0]}, {0: [1.0, 0.0, 0.0]}, {0: []}])
def test_an_output_that_is_missing_or_of_another_size(outputs: dict[int, list[float]]) -> None:
    assert scoring.compare(outputs, [[1.0, 0.0]], 1) == Parity(0, 1, None)


def test_a_quantized_output_is_compared_as_real_values() -> None:
    quantization = {"scale": [0.5], "zero_point": [-2]}
    assert scoring.compare({0: [-2, 0]}, [[0.0, 1.25]], 1, quantization) == Parity(1, 1, 0.25)
    assert scoring.compare({0: [-2, None]}, [[0.0, 1.0]], 1, quantization) == Parity(0, 1, None)


@pytest.mark.parametrize(
    "quantization", [{"scale": [inf], "zero_point": [0]}, {"scale": [nan], "zero_point": [0]}]
)
def test_a_mad_scale_is_no_parity(quantization: dict[str, list[float]]) -> None:
    assert scoring.compare({0: [0, 1]}, [[0.0, 1.0]], 1, quantization).max_abs_difference is None


def test_the_tolerance_is_relative_to_the_largest_of_the_reference() -> None:
    reference = [[0.5, -20.0], [1.0, 2.0]]
    parity = scoring.compare(dict(enumerate(reference)), reference, 1, relative_tolerance=1e-3)
    assert parity == Parity(2, 2, 0.0, 0.02)


@pytest.mark.parametrize(
    ("equal", "total", "least"),
    [(360, 360, 353), (358, 360, 347), (970, 1000, 943), (1, 1, 0), (0, 1, 0)],
)
def test_a_lossy_file_may_differ_a_little_more_than_its_exporter_saw(
    equal: int, total: int, least: int
) -> None:
    assert scoring.least_equal(equal, total) == least


def test_two_counts_of_the_same_rare_event_lie_within_the_allowance() -> None:
    """Flips of near-ties in two runtimes, drawn: one pair in two hundred at most is called a mismatch."""
    draw, beyond, pairs = random.Random(7), 0, 2000
    for share in (0.001, 0.01, 0.05):
        for _ in range(pairs):
            here, there = (sum(draw.random() < share for _ in range(360)) for _ in range(2))
            beyond += 360 - there < scoring.least_equal(360 - here, 360)
    assert beyond < 3 * pairs / 200


def test_enough_equal_classes_are_kept_beside_those_that_are() -> None:
    assert scoring.compare({0: [1.0, 0.0]}, [[1.0, 0.5]], 1, least=0) == Parity(1, 1, 0.5, None, 0)

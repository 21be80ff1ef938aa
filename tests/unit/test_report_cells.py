"""One figure: units, digits, and unknown shown as unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import Parity, Quantile, Score
from orchestrator.findings import Circumstances
from orchestrator.report import cells
from orchestrator.report.cells import Cell, Unit, number, quantile_cell, time_unit
from orchestrator.report.grid import Strip, blocks, lines, narrowed, total
from orchestrator.report.notes import Footnotes
from tests.support.results import case, summary

MS = Unit("ms", 1e6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.04321, "0.043"),
        (0.5, "0.500"),
        (12.345, "12.35"),
        (123.45, "123.5"),
        (1234.5, "1234"),
        (123456.7, "123457"),
        (-12.345, "-12.35"),
    ],
)
def test_four_digits(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(1e-2, 1e9))
def test_a_shown_number_is_within_rounding_of_its_value(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=0.06 if value < 0.1 else 6e-3)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([999_999.0, 5e9], "us"),
        ([1e6, None], "ms"),
        ([9.9e9], "ms"),
        ([1e10], "s"),
        ([None], "ms"),
        ([], "ms"),
    ],
)
def test_the_unit_fits_the_smallest_value(values: list[float | None], name: str) -> None:
    assert time_unit(values).name == name


def test_a_percentile_below_its_floor_says_so() -> None:
    assert quantile_cell(Quantile(None, "n too small: 500 of 662"), MS) == Cell(
        "n too small", "n too small: 662 iterations are needed"
    )
    assert quantile_cell(Quantile(None, "no data"), MS) == Cell("–", "no data")
    assert quantile_cell(Quantile(12.3e6), MS) == Cell("12.30")


def test_unknown_is_a_dash_with_its_reason_never_zero() -> None:
    row = summary(case(), 1e7, launches=1, memory=None, parity=None, first_ns=None)
    assert cells.interval_cell(row, MS) == Cell("–", "an interval needs 3 launches, there are 1")
    assert cells.parity_cell(row) == Cell("–", "no parity: this model has no reference outputs")
    assert cells.accuracy_cell(row) == Cell("–", "no accuracy: weights are random(0)")
    assert cells.reason(row, "container_peak_bytes") == "no peak was read"
    assert MS.cell(None, "why") == Cell("–", "why")
    split = summary(case(), 1e7, modes=(1, 1.3))
    assert cells.interval_cell(split, MS).note == (
        "no interval: 2 speed modes: 10.19 ms (3 of 5 launches, 60 %), 13.17 ms (2 of 5 launches, 40 %)"
    )


def test_interval_accuracy_and_parity() -> None:
    trained = Circumstances(weights="trained")
    row = summary(case(), 1e7, circumstances=trained, accuracy=Score(355, 360), parity=Parity(3, 4, 2e-3))
    low, _, high = cells.interval_cell(row, MS).text.partition("–")
    assert row.p50_ns is not None
    assert float(low) < row.p50_ns / 1e6 < float(high)
    assert cells.accuracy_cell(row) == Cell("98.6%")
    assert cells.parity_cell(row) == Cell("3/4 2e-03")
    lost = summary(case(), 1e7, parity=Parity(3, 4, None))
    assert cells.parity_cell(lost) == Cell("3/4 –", "an output was missing or not a number")


def test_equal_reasons_share_a_footnote() -> None:
    footnotes = Footnotes()
    marks = [footnotes.mark(Cell("–", why)) for why in ["a"] * 2 + [str(n) for n in range(12)]]
    assert marks[:3] == ["–¹", "–¹", "–²"]
    assert marks[-1] == "–¹³"
    assert footnotes.mark(Cell("1.0")) == "1.0"
    assert footnotes.lines()[0] == "¹ a"


@pytest.mark.parametrize("text", ["12.3", "-0.5", "h2d 1.2 + compute 30.1", "12.10–12.60"])
def test_any_figure_of_an_emulator_is_pale(text: str) -> None:
    row = summary(case(), 1e7)
    assert cells.greyed(Cell(text), row) == Cell(text)
    pale = cells.greyed(Cell(text), replace(row, emulated=True))
    assert pale == Cell(text, "under emulation: says nothing about the board", grey=True)


@pytest.mark.parametrize("text", ["–", "failed", "n too small"])
def test_what_is_no_figure_keeps_its_own_reason(text: str) -> None:
    row = replace(summary(case(), 1e7), emulated=True)
    assert cells.greyed(Cell(text, "why"), row) == Cell(text, "why")


def test_what_a_runner_wrote_does_not_steer_a_terminal() -> None:
    assert cells.plain("a\x1b[31m\nb\r\t c\x00") == "a [31m b c"


def test_strips_are_cut_into_blocks_that_fit() -> None:
    strips = [Strip.fitting("t\nms", ["x" * width], False) for width in (10, 10, 10, 40)]
    found = blocks(strips, 24)
    assert [len(block) for block in found] == [2, 1, 1]
    assert all(total(block) - 2 <= 24 for block in found[:2])
    assert [strip for block in found for strip in block] == strips


def test_a_grid_pads_rules_and_wraps() -> None:
    strips = [Strip("p50\nms", ["1.5", "22.5"], False, 4), Strip("codes", ["alpha, beta", ""], True, 6)]
    assert list(lines(strips)) == [
        [" p50", "      "],
        ["  ms", "codes "],
        ["────", "──────"],
        [" 1.5", "alpha,"],
        ["    ", "beta  "],
        ["22.5", "      "],
    ]


def test_narrowing_takes_from_the_widest() -> None:
    strips = [Strip.fitting("a", ["x" * 30], True), Strip.fitting("b", ["y" * 10], True)]
    assert [strip.width for strip in narrowed(strips, 30)] == [18, 10]
    assert [strip.width for strip in narrowed(strips, 1)] == [8, 8]

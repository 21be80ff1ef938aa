"""Sizes, operations and lost accuracy of variants, beside their baseline."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from orchestrator.domain import CaseSummary, Score, Size
from orchestrator.merge import summary_document, with_drops
from orchestrator.report import comma
from orchestrator.report.sizes import size_columns
from tests.support.results import case, header, summary

SIZE = Size("onnx", 100, 3 * 2**20, 2_000_000, 1_000_000, 5_500_000)


def row(variant: str, correct: int | None, **more: object) -> CaseSummary:
    accuracy = None if correct is None else Score(correct, 200)
    return replace(summary(case(variant=variant, **more), 1e6), accuracy=accuracy, artifact=SIZE)


def drop(rows: list[CaseSummary], number: int) -> tuple[float | None, str | None]:
    size = with_drops(rows)[number].artifact
    assert size
    return size.accuracy_drop_points, size.accuracy_drop_reason


def test_a_drop_is_in_points_below_nq_in_the_same_place() -> None:
    rows = [row("nq", 190), row("fiq", 187), row("prn", 192), row("fiq", 100, threads=2)]
    assert drop(rows, 0) == (0.0, None)
    assert drop(rows, 1) == (1.5, None)
    assert drop(rows, 2) == (-1.0, None)
    assert drop(rows, 3) == (None, "nq was not measured beside it")


def test_an_unknown_drop_has_its_reason() -> None:
    assert drop([row("nq", 190), row("fiq", None)], 1) == (None, "no accuracy: this case has none")
    assert drop([row("nq", None), row("fiq", 190)], 1) == (None, "nq has no accuracy beside it")


def test_the_columns_stand_where_there_are_variants() -> None:
    rows = with_drops([row("nq", 190), row("fiq", 187)])
    cells = {column.title: column.cell(rows[1]) for column in size_columns(rows)}
    assert {title.partition("\n")[0]: cell.text for title, cell in cells.items()} == {
        "deflated": "3.000",
        "parameters": "2.000",
        "nonzero": "1.000",
        "MACs": "5.500",
        "drop": "1.50",
    }
    assert size_columns(rows[:1]) == []


def test_what_was_not_recorded_says_so() -> None:
    rows = with_drops([replace(row("fiq", 187), artifact=Size("onnx", 100))])
    notes = [column.cell(rows[0]).note for column in size_columns(rows)]
    assert notes[:4] == ["not recorded when it was exported"] * 4
    assert notes[4] == "nq was not measured beside it"


def test_programs_get_raw_units_and_reasons() -> None:
    rows = with_drops([row("nq", 190), row("fiq", 187), row("f16", None)])
    text = comma.render(summary_document(header(), rows, [], []))
    found = {line["variant"]: line for line in csv.DictReader(io.StringIO(text))}
    assert found["fiq"]["deflated_bytes"] == str(3 * 2**20)
    assert (found["fiq"]["macs"], float(found["fiq"]["accuracy_drop_points"])) == ("5500000", 1.5)
    assert found["f16"]["accuracy_drop_points"] == ""
    assert "accuracy_drop_points: no accuracy: this case has none" in found["f16"]["reasons"]

"""Energy as a reader sees it: one pair of columns a scope, each dash with its reason."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from rich.console import Console

from orchestrator.domain import CaseEnergy, CaseSummary
from orchestrator.merge import case_summary, summary_document
from orchestrator.report import comma, markdown
from orchestrator.report.joules import energy_columns, energy_lines, energy_unit, shown
from orchestrator.report.terminal import show
from tests.support.results import case, header, summary

PACKAGE = CaseEnergy(
    "rapl.package-0",
    "cpu_package",
    "counter",
    5,
    0.412,
    0.409,
    0.415,
    0.31,
    0.30,
    0.32,
    mean_w=10.1,
    idle_w=2.5,
    rate_hz=9.98,
    coverage=0.998,
    uncertainty=0.004,
)
WALL = CaseEnergy(
    "shelly.energy",
    "wall",
    "counter",
    0,
    reason="window 10.5 s, Shelly needs 300 s",
    net_reason="window 10.5 s, Shelly needs 300 s",
)
POWER = replace(WALL, source="shelly.power", method="sampled")
RAIL = replace(PACKAGE, source="ina3221.VDD_SOC", scope="supply_rail", method="sampled")


def row(*energy: CaseEnergy, runtime: str = "onnxruntime") -> CaseSummary:
    return replace(summary(case(runtime), 4.1e7), energy=energy)


def cells_of(rows: list[CaseSummary]) -> dict[str, list[str]]:
    return {column.title: [column.cell(one).text for one in rows] for column in energy_columns(rows)}


def test_each_scope_has_columns_of_its_own() -> None:
    rows = [row(PACKAGE, WALL), row(PACKAGE, runtime="tflite")]
    assert cells_of(rows) == {
        "cpu_package gross\nmJ": ["412.0 (409.0–415.0)"] * 2,
        "cpu_package net\nmJ": ["310.0 (300.0–320.0)"] * 2,
        "wall gross\nmJ": ["–", "–"],
        "wall net\nmJ": ["–", "–"],
    }
    notes = [
        column.cell(one).note for one in rows for column in energy_columns(rows) if "wall g" in column.title
    ]
    assert notes == ["shelly.energy: window 10.5 s, Shelly needs 300 s", "shelly.energy was not read"]


def test_two_sources_of_one_scope_are_told_apart() -> None:
    second = replace(PACKAGE, source="rapl.package-1")
    titles = list(cells_of([row(PACKAGE, second)]))
    assert titles[0] == "cpu_package rapl.package-0 gross\nmJ"
    assert titles[2] == "cpu_package rapl.package-1 gross\nmJ"


def test_parts_of_a_board_stay_in_the_files() -> None:
    assert list(shown([row(PACKAGE, RAIL)])) == ["rapl.package-0"]


def test_of_one_meter_the_channel_with_figures_is_shown_and_of_two_the_surer() -> None:
    known = replace(POWER, launches=5, gross_per_inference_j=0.5, uncertainty=0.01, reason=None)
    assert list(shown([row(WALL, POWER)])) == ["shelly.energy"]
    assert list(shown([row(WALL, known)])) == ["shelly.power"]
    coarse = replace(known, source="shelly.energy", method="counter", uncertainty=0.4)
    assert list(shown([row(coarse, known)])) == ["shelly.power"]
    assert list(shown([row(replace(coarse, uncertainty=0.001), known)])) == ["shelly.energy"]
    # One channel for all rows of a table: a column compares like with like.
    assert list(shown([row(coarse, known), row(coarse)])) == ["shelly.energy"]


def test_a_figure_of_some_launches_says_so() -> None:
    (gross, _) = energy_columns([row(replace(PACKAGE, launches=3))])
    assert gross.cell(row(replace(PACKAGE, launches=3))).note == "of 3 of 5 launches"
    assert gross.cell(row(PACKAGE)).note is None


def test_no_source_no_column() -> None:
    assert energy_columns([row()]) == []
    assert energy_lines([row(), row(WALL)]) == []


def test_the_unit_suits_the_smallest() -> None:
    assert energy_unit([2.0, None])[0] == "J"
    assert energy_unit([2.0, 0.004])[0] == "mJ"
    assert energy_unit([3e-5])[0] == "uJ"
    assert energy_unit([3e-9])[0] == "uJ"
    assert energy_unit([None])[0] == "mJ"


def test_documents_say_scope_method_rate_coverage_and_uncertainty() -> None:
    document = summary_document(header(), [row(PACKAGE, WALL)], [], [])
    assert case_summary(document["cases"][0]).energy == (PACKAGE, WALL)
    line = (
        "energy by rapl.package-0: scope cpu_package, counter, 9.98 readings a second, coverage at least "
        "99.8%, one launch's gross uncertain by at most 0.40% (k = 1), uncalibrated: the sensor's gain error "
        "is not included"
    )
    assert line in markdown.render(document)
    stream = io.StringIO()
    show(document, Console(file=stream, width=200, highlight=False))
    assert "scope cpu_package" in " ".join(stream.getvalue().split())
    (record,) = csv.DictReader(io.StringIO(comma.render(document)))
    assert record["gross_per_inference_j"] == "rapl.package-0=0.412"
    assert record["energy_launches"] == "rapl.package-0=5 shelly.energy=0"
    assert record["energy_calibrated"] == "rapl.package-0=false shelly.energy=false"
    assert record["energy_scope"] == "rapl.package-0=cpu_package shelly.energy=wall"
    assert "shelly.energy: window 10.5 s, Shelly needs 300 s" in record["reasons"]


def test_an_emulated_figure_is_grey() -> None:
    one = replace(row(PACKAGE), emulated=True)
    assert all(column.cell(one).grey for column in energy_columns([one]))

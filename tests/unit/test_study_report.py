"""A study's report as a reader sees it: Markdown, CSV, terminal, figures, and what a smoke run screams."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from orchestrator.report.cells import UNDER_EMULATION, UNKNOWN
from orchestrator.study import comma, figures, markdown, terminal, words
from orchestrator.study.candidates import of_study
from orchestrator.study.layout import grids
from orchestrator.study.rows import peak
from orchestrator.study.values import measured
from tests.support.schemas import check
from tests.support.studies import report

GOLDEN = Path(__file__).parent.parent / "fixtures" / "studies"


@pytest.fixture
def document() -> dict[str, Any]:
    return report()


@pytest.fixture
def smoke() -> dict[str, Any]:
    return report("smoke")


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("INFEROMETER_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{path} differs; INFEROMETER_GOLDEN=write makes it anew"


def test_the_document_keeps_its_schema(document: dict[str, Any], smoke: dict[str, Any]) -> None:
    check("study", document)
    check("study", smoke)


def test_markdown(document: dict[str, Any]) -> None:
    golden("report.md", markdown.render(document, [("Latency of Alpha", "figure-1.svg")]))


def test_markdown_of_a_smoke_run(smoke: dict[str, Any]) -> None:
    golden("smoke.md", markdown.render(smoke))


def test_terminal(document: dict[str, Any]) -> None:
    golden("report.txt", "\n".join(terminal.render(document, 100)) + "\n")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_terminal_is_not_overrun(smoke: dict[str, Any], document: dict[str, Any], width: int) -> None:
    for what in (smoke, document):
        assert max(map(len, terminal.render(what, width))) <= width


def test_csv_has_a_line_for_every_case_and_reason(document: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(comma.render(document))))
    cases = sum(max(1, len(row["measured"])) for row in document["rows"])
    assert len(lines) == cases
    nothing = [line for line in lines if not line["p50_ns"]]
    assert nothing and all(line["reason"] for line in nothing)
    assert {line["scale"] for line in lines} == {"full"}


def test_published_and_measured_stand_in_columns_of_their_own(document: dict[str, Any]) -> None:
    first = next(grids(document))
    titles = [title.replace("\n", " ") for title in first.titles]
    row = dict(zip(titles, first.rows[1], strict=True))
    assert row["accuracy measured"] == "90.8%"
    assert row["accuracy published"].startswith("91.5 %")


def test_a_published_value_of_another_data_set_or_network_is_not_shown(document: dict[str, Any]) -> None:
    for entry in document["study"]["published"]:
        entry["data"] = "cifar100"
    assert not any("published" in title for grid in grids(document) for title in grid.titles)


def test_without_published_values_it_says_where_to_add_them(document: dict[str, Any]) -> None:
    document["study"]["published"] = []
    text = markdown.render(document)
    assert "published: not at hand; add it to orchestrator/studies/two.toml field published" in text


def test_a_smoke_run_screams_and_quotes_nothing(smoke: dict[str, Any]) -> None:
    text = markdown.render(smoke)
    assert text.splitlines()[2].startswith("> **SMOKE RUN: scaled-down networks on digits")
    assert "Nothing here compares to" in text
    assert "91.5" not in text and "56–68" not in text
    assert "!!!" in terminal.render(smoke, 80)[0]
    assert "COMPARES TO NOTHING" in figures.draw(smoke)[0][1]


def test_a_whole_run_does_not_scream(document: dict[str, Any]) -> None:
    assert words.warning(document) is None
    assert "COMPARES TO NOTHING" not in figures.draw(document)[0][1]


def test_every_failure_has_its_reason_once(document: dict[str, Any]) -> None:
    told = words.failures(document)
    assert any("beta@cifar10 wcl: the export failed: no memory | left" in line for line in told)
    assert len(set(told)) == len(told)


def test_an_early_end_is_said(document: dict[str, Any]) -> None:
    assert words.early(document)[0].startswith(
        "alpha@cifar10 kd: nq had 7 of 20 epochs, then the budget was spent"
    )


def test_figures_are_drawings_with_every_bar(document: dict[str, Any]) -> None:
    ((title, svg),) = figures.draw(document)
    assert title == "Latency of Alpha: alpha@cifar10"
    root = ElementTree.fromstring(svg)
    said = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    for word in ("tflite", "onnxruntime", "nq", "wcl", "30.48", "10.16", "oom"):
        assert word in said
    assert not re.search(r"nan|inf\b", svg)


def test_with_nothing_measured_there_is_still_a_report(document: dict[str, Any]) -> None:
    for row in document["rows"]:
        row["measured"], row["failure"] = [], "no exporter"
    document["run"], document["launches"] = None, 0
    check("study", document)
    text = markdown.render(document)
    assert "Measured here: nothing" in text and "no exporter" in text
    assert terminal.render(document, 80) and comma.render(document) and figures.draw(document)


def test_under_emulation_latencies_stand_in_brackets(document: dict[str, Any]) -> None:
    assert "(30.48)" in markdown.render(emulated(document))


@pytest.mark.parametrize("hostile", ["a|b\n# c", "<script>", "`x` [y](z)"])
def test_a_hostile_reason_is_no_markup(document: dict[str, Any], hostile: str) -> None:
    document["rows"][0]["failure"] = hostile
    text = markdown.render(document)
    assert "<script>" not in text and "\n# c" not in text and "[y](z)" not in text


def emulated(document: dict[str, Any]) -> dict[str, Any]:
    """The same as if an emulator had run it."""
    for row in document["rows"]:
        for one in row["measured"]:
            one["emulated"] = True
    return document


def test_an_emulator_s_latencies_are_no_reductions_and_no_bars(document: dict[str, Any]) -> None:
    row = next(row for row in document["rows"] if row["variant"] == "fiq")
    base = next(row for row in document["rows"] if row["variant"] == "nq")["measured"][0]
    case = next(one for one in row["measured"] if one["p50_ns"])
    assert measured("latency_reduction", row, case, base).text != UNKNOWN
    before = [svg for _, svg in figures.draw(document)]
    emulated(document)
    assert measured("latency_reduction", row, case, base).text == UNKNOWN
    after = [svg for _, svg in figures.draw(document)]
    assert all(UNDER_EMULATION[:20] in svg for svg in after)
    assert not any(UNDER_EMULATION[:20] in svg for svg in before)


def test_an_emulator_s_latency_recommends_nothing(document: dict[str, Any]) -> None:
    assert any(one.latency_ns is not None for one in of_study(document))
    found = list(of_study(emulated(document)))
    assert {(one.latency_ns, one.latency_high_ns) for one in found} == {(None, None)}
    assert any(one.accuracy is not None for one in found)


def test_peaks_are_of_the_process_so_that_rows_compare() -> None:
    row = {"inference_vm_hwm_bytes": 43, "inference_container_peak_bytes": 17}
    assert peak(row) == (43, "process")
    assert peak({**row, "inference_vm_hwm_bytes": None}) == (17, "container")
    assert peak(dict.fromkeys(row)) == (None, None)


def test_a_technique_whose_training_ended_early_is_said_too(document: dict[str, Any]) -> None:
    document["rows"][0]["techniques"] = [{"code": "prn", "facts": {"epochs": 20, "epochs_done": 3}}]
    assert any("prn had 3 of 20 epochs" in line for line in words.early(document))

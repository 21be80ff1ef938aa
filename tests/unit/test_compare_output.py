"""A comparison as a reader sees it: terminal, Markdown, JSON."""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from orchestrator.compare import Comparison, markdown, terminal
from orchestrator.compare.condition import Answer, ask, parse
from orchestrator.compare.document import to_json
from orchestrator.compare.forest import Scale, scale_of
from orchestrator.statistics.ratio import Ratio
from tests.support.comparisons import compared, everything, launches, measured, pair, side
from tests.support.results import case

GOLDEN = Path(__file__).parent.parent / "fixtures" / "compare"
CONDITIONS = ("p50 > +5%", "accuracy < -1pp", "p99 > +10%", "failed")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return everything()


@pytest.fixture(scope="module")
def answers(comparison: Comparison) -> list[Answer]:
    return [ask(parse(text), comparison) for text in CONDITIONS]


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("INFEROMETER_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{path} differs; INFEROMETER_GOLDEN=write makes it anew"


def shown(what: Comparison, answers: list[Answer], width: int) -> str:
    stream = io.StringIO()
    terminal.show(what, answers, Console(file=stream, width=width, highlight=False, color_system=None))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def test_markdown(comparison: Comparison, answers: list[Answer]) -> None:
    golden("comparison.md", markdown.render(comparison, answers))


@pytest.mark.parametrize("width", [80, 160])
def test_terminal(comparison: Comparison, answers: list[Answer], width: int) -> None:
    golden(f"comparison-{width}.txt", shown(comparison, answers, width))


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_lines_fit_the_width(comparison: Comparison, answers: list[Answer], width: int) -> None:
    assert max(cell_len(line) for line in shown(comparison, answers, width).splitlines()) <= width


def test_names_cannot_break_a_table(comparison: Comparison) -> None:
    rows = [line for line in markdown.render(comparison).splitlines() if line.startswith("|")]
    tables: dict[int, int] = {}
    for row in rows:
        bars = len(re.findall(r"(?<!\\)\|", row))
        tables[bars] = tables.get(bars, 0) + 1
    assert set(tables) == {8, 6, 5}  # p50, other metrics, provenance
    sharp = compared(
        side("<b>|`x`", measured(case(), launches(1e6))), side("b", measured(case(), launches(1e6)))
    )
    assert "&lt;b&gt;\\|\\`x\\`" in markdown.render(sharp)


def test_details_open_and_close(comparison: Comparison) -> None:
    text = markdown.render(comparison)
    assert text.count("<details>") == text.count("</details>") == 2
    assert "</summary>\n\n" in text


def test_sides_with_nothing_in_common() -> None:
    alone = compared(side("a", measured(case(), launches(1e6))), side("b"))
    assert "No case is in both." in markdown.render(alone)
    assert "1 in A alone: resnet50 onnxruntime" in markdown.render(alone)
    assert "No case is in both." in shown(alone, [], 80)


def test_json_has_every_number_and_reason(comparison: Comparison, answers: list[Answer]) -> None:
    document = json.loads(json.dumps(to_json(comparison, answers, 1), allow_nan=False))
    verdicts = {row["case_b"]["runtime"]: row["verdict"] for row in document["cases"]}
    assert verdicts["tflite"] == "slower"
    row = next(row for row in document["cases"] if row["case_b"]["runtime"] == "tflite")
    p50 = row["metrics"]["p50"]
    assert p50["ratio"]["low"] < 110 / 95.3 < p50["ratio"]["high"]
    assert (len(p50["launches_a"]), p50["mann_whitney_p"]) == (5, pytest.approx(2 / 252))
    assert document["exit_status"] == 1
    assert [one["condition"] for one in document["conditions"]] == list(CONDITIONS)


def test_pictures_of_intervals() -> None:
    scale = Scale(0.12)
    assert scale.draw(Ratio(1.03, 1.01, 1.05, 0.1, 8)) == "            │├─●─┤       "
    assert scale.draw(Ratio(1.0, 0.8, 1.3, 0.1, 8)) == "◂───────────●───────────▸"
    assert scale.draw(Ratio(0.99, 0.97, 1.02, 0.1, 8)) == "         ├─●┼─┤          "
    assert scale.draw(Ratio(1.5, 1.4, 1.6, 0.1, 8)) == "            │           ▸"
    assert len(scale.title) == 25
    assert scale_of([None]) is None


def test_one_case_has_one_line() -> None:
    found = pair(measured(case(), launches(1e6)), measured(case(), launches(1.2e6)))
    assert "1 case: 1 slower" in shown(found, [], 120)


def test_an_emulators_speed_stands_in_brackets() -> None:
    ours, board = measured(case(), launches(5e6), invalid="emulated"), measured(case(), launches(9e6))
    emulated = replace(ours, summary=replace(ours.summary, emulated=True))
    comparison = pair(emulated, board)
    for text in (markdown.render(comparison, []), shown(comparison, [], 160)):
        assert "(5.000 ms)" in text
        assert "9.000 ms" in text
        assert "(9.000 ms)" not in text

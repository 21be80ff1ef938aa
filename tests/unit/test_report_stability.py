"""STABLE, MULTIMODAL or UNSTABLE of a row in every table, without a mean of modes that looks like a speed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.merge import summary_document
from orchestrator.report import latex, markdown
from tests.support.results import case, document, header, summary
from tests.unit.test_report_tables import emulated, shown

MODED = "2 speed modes: 73.14 ms (3 of 5 launches, 60 %), 95.12 ms (2 of 5 launches, 40 %)"


def test_markdown_has_a_column_with_the_word() -> None:
    text = markdown.render(document())
    heads = [cell.strip() for cell in text[text.index("### resnet50") :].split("\n")[2].split("|")]
    rows = [
        dict(zip(heads, (cell.strip() for cell in line.split("|")), strict=True))
        for line in text[text.index("### resnet50") :].split("\n")
        if line.startswith("| x86")
    ]
    words = {row["runtime (mode)"]: row["stability"] for row in rows}
    assert words["pytorch (eager)"] == "MULTIMODAL"
    assert words["pytorch (channels_last)"] == "UNSTABLE"
    assert words["onnxruntime"] == "STABLE" and words["pytorch (aot)"] == "–"


@pytest.mark.parametrize("render", [markdown.render, latex.render, shown])
def test_a_moded_row_has_no_interval_and_its_p50_a_footnote_with_the_modes(render: Any) -> None:
    text = " ".join(render(document()).replace("\\%", "%").split())
    number = re.search(r"(\S+) no interval: " + re.escape(MODED), text)
    assert number, "the modes and their shares stand in a footnote"
    mark = re.escape(number[1])
    assert re.search(rf"81\.93{mark} (\||&)? ?-?[–-]{mark}", text), "at p50 and in the interval's place"


def test_latex_has_a_letter_that_is_told_below() -> None:
    tex = latex.render(document())
    part = tex[tex.index("{resnet50") :]
    rows = {line.split(" & ")[0]: line.split(" & ") for line in part.splitlines() if " & " in line}
    place = rows["runtime"].index("verdict")
    assert rows["pytorch (eager)"][place].startswith(r"suspect M\textsuperscript{")
    assert rows[r"pytorch (channels\_last)"][place].startswith(r"suspect U\textsuperscript{")
    assert rows["onnxruntime"][place] == "valid S"
    assert rows["pytorch (aot)"][place].startswith(r"invalid\textsuperscript{")
    assert "launches: S stable, M multimodal, U unstable\n" in part
    assert "launches: S stable\n" in tex[: tex.index("{resnet50")]


def test_a_terminal_marks_only_what_is_not_stable() -> None:
    text = shown(document(), 200)
    rows = text[text.index("\nresnet50") :]
    assert re.search(r"pytorch \(eager\) .* suspect M ", rows)
    assert re.search(r"pytorch \(channels_last\) .* suspect U ", rows)
    assert re.search(r"onnxruntime .* valid  ", rows)
    assert "M multimodal, U unstable" in rows
    assert "unstable" not in text[: text.index("\nresnet50")], "a group of stable rows has no legend"
    assert "\x1b[33msuspect" in shown(document(), 200, force_terminal=True, color_system="standard")


def test_a_row_that_was_not_judged_says_why() -> None:
    few = summary(case(), 1e7, launches=2)
    text = markdown.render(summary_document(header(), [few], [], []))
    assert "stability needs 3 launches, there are 2" in text
    assert "stability needs" not in markdown.render(emulated())

"""Whole documents as a reader sees them: terminal, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from orchestrator.domain import Part, Skip
from orchestrator.findings import Circumstances
from orchestrator.merge import Facts, join, read_document, summary_document
from orchestrator.report import comma, markdown
from orchestrator.report.terminal import show
from tests.support.results import artifact, case, document, header, summary


def shown(what: dict[str, Any], width: int = 120, **console: Any) -> str:
    stream = io.StringIO()
    show(what, Console(file=stream, width=width, highlight=False, **console))
    return stream.getvalue()


def empty() -> dict[str, Any]:
    return summary_document(header(), [], [], [Skip(case(), "no engine")])


def emulated() -> dict[str, Any]:
    """A board whose containers ran on another processor."""
    given = Circumstances(weights="pretrained", emulated=True)
    parts = (Part("h2d", 3, 1.2e6), Part("compute", 3, 9e7))
    facts = Facts(7, "pretrained", True)
    pi = summary(case(device="rpi5"), 9e7, circumstances=given, facts=facts, parts=parts)
    return summary_document(header("pi run", "rpi5", quick=True), [pi], [], [])


def comparison() -> dict[str, Any]:
    """Two machines, one of them without Docker and named wrongly."""
    given = Circumstances(weights="pretrained", forced_device="this machine is x86")
    pi = summary(
        case(device="rpi5"), 9e7, circumstances=given, facts=Facts(7, "pretrained"), engine="process"
    )
    documents = (
        ("x86 run", document()),
        ("pi run", summary_document(header("pi run", "rpi5", machine=None, quick=True), [pi], [], [])),
    )
    pieces: list[str] = []
    join(documents, pieces.append)
    return read_document("comparison", "".join(pieces))


@pytest.mark.parametrize("width", [80, 120, 200])
def test_tables_fit_the_width(width: int) -> None:
    for what in (document(), comparison(), emulated(), empty()):
        assert max(cell_len(line) for line in shown(what, width).splitlines()) <= width


def test_every_column_is_there_at_every_width() -> None:
    titles = [
        "runtime (mode)",
        "p50",
        "95 % interval",
        "p90",
        "p99",
        "verdict",
        "mean",
        "CV",
        "launches",
        "n",
    ]
    titles += ["first", "load", "rate", "artifact", "container", "process", "accuracy", "parity", "findings"]
    for width in (80, 120, 300):
        text = shown(document(), width)
        for title in titles:
            assert re.search(rf"(^|  ){re.escape(title)}(  |$)", text, re.MULTILINE), (width, title)
    assert len(re.findall("runtime \\(mode\\)", shown(document(), 300))) == 2  # one table a model


def test_plain_output_has_no_escapes_and_no_trailing_space() -> None:
    text = shown(document(), 80)
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "\x1b[33msuspect" in shown(document(), 80, force_terminal=True, color_system="standard")


def test_modes_are_rows_of_their_own_fastest_first_and_failures_last() -> None:
    text = shown(document())
    found = re.findall(
        r"^(\S+(?: \(\w+\))?) {2,}[\d.f]\S* .*$", text[text.index("\nresnet50") :], re.MULTILINE
    )
    assert found[:5] == [
        "onnxruntime",
        "pytorch (channels_last)",
        "pytorch (eager)",
        "tflite",
        "pytorch (aot)",
    ]


def test_a_failure_is_a_row_with_its_reason() -> None:
    text = shown(document())
    line = next(line for line in text.splitlines() if line.startswith("pytorch (aot)") and "failed" in line)
    assert re.fullmatch(r"pytorch \(aot\) +failed² +– +– +– +invalid .*", line)
    assert "\n² oom: killed for lack of memory in phase load" in text


def test_unknown_figures_have_footnotes() -> None:
    text = shown(document())
    for line in (
        "n too small: 662 iterations are needed",
        "no accuracy: weights are random(0)",
        "no parity: this model has no reference outputs",
        "no interval: 2 speed modes:",
        "container peak: runs in no container; the process itself peaked at 190.0 MiB",
    ):
        assert re.search(rf"^[⁰¹²³⁴⁵⁶⁷⁸⁹]+ {re.escape(line)}", text, re.MULTILINE), line


@pytest.mark.parametrize("render", [shown, markdown.render])
def test_random_weights_are_said_above_the_tables(render: Any) -> None:
    text = render(document())
    assert text.index("weights: random(0) in resnet50.") < text.index("p50")


@pytest.mark.parametrize("render", [shown, markdown.render])
def test_findings_with_advice_and_skips_with_reasons_stand_below(render: Any) -> None:
    text = render(document()).replace("\n      ", " ")
    for part in (
        "failed_launches (invalid): Look at stderr.log",
        "multimodal (suspect): Read the modes",
        "all of resnet50: weights: random(0) because download.pytorch.org could not be reached",
        "every row: no power source is read",
        "resnet50 pytorch (compiled), digits-cnn pytorch (compiled): option mode=compiled needs g++",
    ):
        assert part in text, part
    assert text.index("(invalid)") < text.index("(suspect)") < text.index("(note)")


@pytest.mark.parametrize("render", [shown, markdown.render])
def test_engine_and_device_are_stated(render: Any) -> None:
    text = render(comparison())
    for part in ("process", "docker", "rpi5", "x86", "forced_device"):
        assert part in text, part


@pytest.mark.parametrize("render", [shown, markdown.render])
def test_what_an_emulator_timed_stands_in_brackets_with_the_reason(render: Any) -> None:
    text = render(emulated())
    for part in ("docker (emulated)", "emulated (invalid)", "under emulation: says nothing about the board"):
        assert part in text, part
    assert re.search(r"\(\d+\.\d+\)¹", text)  # the p50
    assert re.search(r"\(h2d 1\.200 \+ compute 90\.00\)¹", text)
    assert "4/4 5e-06" in text  # what was computed counts in full


def test_what_an_emulator_timed_is_pale_on_a_terminal() -> None:
    text = shown(emulated(), 200, force_terminal=True, color_system="standard")
    assert re.search(r"\x1b\[2m\(\d+\.\d+\)", text)


@pytest.mark.parametrize("render", [shown, markdown.render])
def test_a_run_without_cases_is_a_report_too(render: Any) -> None:
    text = render(empty())
    assert "No case was measured." in text
    assert "resnet50 onnxruntime: no engine" in text


def test_findings_of_a_run_are_told() -> None:
    finding = {"code": "observer", "severity": "note", "message": "telemetry cost 2 %", "advice": "See."}
    for render in (shown, markdown.render):
        assert "observer (note): telemetry cost 2 %. See." in render(document(findings=[finding]))


def mixed() -> dict[str, Any]:
    """A delegate that took one node of sixty."""
    placement = {"requested": "cpu", "executed": {"armnn": 1, "builtin": 59}, "notes": []}
    row = summary(case("tflite", mode="armnn"), 1e7, placement=placement)
    return summary_document(header(), [row], [artifact()], [])


def test_every_report_says_what_executed_a_mixed_row() -> None:
    for text in (shown(mixed(), 200), markdown.render(mixed()), comma.render(mixed()), json.dumps(mixed())):
        assert "placement_mixed" in text
    for text in (shown(mixed(), 200), markdown.render(mixed()), json.dumps(mixed())):
        assert "59 of 60 nodes on builtin, 1 on armnn" in text


def test_many_rows_with_one_finding_are_counted() -> None:
    given = Circumstances(weights="trained", quick=True)
    rows = [summary(case(threads=n + 1), 1e7, circumstances=given, count=150) for n in range(12)]
    rows += [summary(case(mode="x"), 1e7, circumstances=Circumstances(weights="trained"), count=150)]
    text = shown(summary_document(header(), rows, [artifact()], []), 200)
    assert "threads 8 and 4 more (see --format csv): a first look" in text.replace("\n      ", " ")


def hostile() -> dict[str, Any]:
    bad = case("a|b", "m*[x](y)", "<i>\x1b[31m")
    row = summary(bad, None)
    return summary_document(header("r|[bold]x"), [row], [], [Skip(bad, "x\n# y | z\x1b]0;t\x07")])


def test_names_and_reasons_are_no_markup() -> None:
    text = markdown.render(hostile())
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 29, line
    assert "<i>" not in text
    assert "\x1b" not in text + shown(hostile(), 80)
    assert "[bold]x" in shown(hostile(), 80)
    assert "\n# y" not in text


# CSV


def table(what: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comma.render(what))))


def test_csv_has_one_line_per_case_in_raw_units() -> None:
    rows = table(document())
    assert [row["status"] for row in rows] == ["measured"] * 8 + ["failed"] + ["skipped"] * 2
    first = next(row for row in document()["cases"] if row["case"]["runtime"] == "tflite")
    row = next(row for row in rows if row["runtime"] == "tflite" and row["model"] == "digits-cnn")
    assert float(row["p50_ns"]) == first["p50_ns"]
    assert float(row["p50_low_ns"]) == first["interval"]["low_ns"]
    assert (row["accuracy_correct"], row["accuracy_total"]) == ("358", "360")
    assert row["engine"] == "docker"
    assert row["emulated"] == "false"
    assert row["run"] == header()["name"]


def test_csv_leaves_unknown_empty_and_says_why() -> None:
    rows = table(document())
    tflite = next(row for row in rows if row["runtime"] == "tflite" and row["model"] == "resnet50")
    for name in ("p99_ns", "container_peak_bytes", "accuracy_correct", "parity_total"):
        assert tflite[name] == "", name
    assert "p99_ns: n too small: 260 of 662" in tflite["reasons"]
    assert "parity: no parity" in tflite["reasons"]
    lost = next(row for row in rows if row["status"] == "failed")
    assert lost["reasons"].startswith("oom: killed for lack of memory")
    assert lost["p50_ns"] == lost["mean_ns"] == lost["rate_hz"] == ""
    assert rows[-1]["reasons"] == "option mode=compiled needs g++; apt-get install g++"


def test_csv_says_of_an_emulated_row_what_its_figures_are() -> None:
    (row,) = table(emulated())
    assert (row["status"], row["emulated"]) == ("measured", "true")
    assert row["reasons"].startswith("speeds and memory: under emulation: says nothing about the board; ")
    assert not any("emulation" in row["reasons"] for row in table(document()))


def test_csv_has_a_column_for_every_figure_of_a_summary() -> None:
    row = document()["cases"][0]
    for name in row:
        if name.endswith(("_ns", "_hz", "_bytes", "_cv")) and name != "launch_p50_ns":
            assert name in comma.COLUMNS, name


def test_markdown_tables_are_rectangular() -> None:
    for block in markdown.render(document()).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1


def test_parts_of_an_inference_stand_beside_the_whole() -> None:
    """Only where a runtime times them apart; the others say so."""
    parts = (Part("h2d", 200, 50e3), Part("compute", 200, 4e6), Part("d2h", 200, 9e3))
    whole = summary(case(runtime="tensorrt", accelerator="cuda"), 5e6, parts=parts)
    what = summary_document(header(), [whole, summary(case(), 6e6)], [], [])
    assert "h2d 50.00 + compute 4000 + d2h 9.000" in " ".join(markdown.render(what).split())
    assert "the runtime does not time them apart" in markdown.render(what)
    rows = list(csv.DictReader(io.StringIO(comma.render(what))))
    assert {row["parts_p50_ns"] for row in rows} == {"", "h2d=50000 compute=4000000 d2h=9000"}
    assert "parts" not in markdown.render(document())

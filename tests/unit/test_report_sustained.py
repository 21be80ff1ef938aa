"""A long window in tables, files and pictures."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orchestrator.domain import CaseSummary, InferometerError, Minute, Sustained
from orchestrator.merge import case_summary, summary_document
from orchestrator.report import comma, curve, markdown, minutes
from orchestrator.report.table import content
from orchestrator.report.terminal import show
from orchestrator.verify.derived import renderers
from tests.support import curves, results
from tests.support.schemas import check

SVG = "{http://www.w3.org/2000/svg}"


def row(course: Sustained | None, **fields: Any) -> CaseSummary:
    made: CaseSummary = replace(results.summary(results.case(**fields), 31.2e6, launches=1), sustained=course)
    return made


def document(*rows: CaseSummary) -> dict[str, Any]:
    return summary_document(results.header(), rows, [], [])


def terminal(course: Sustained) -> str:
    stream = io.StringIO()
    show(document(row(course)), Console(file=stream, width=100))
    return stream.getvalue()


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("course", [curves.hot(), curves.blind(), None])
def test_a_summary_with_a_curve_round_trips_under_its_schema(course: Sustained | None) -> None:
    content = document(row(course))
    check("summary", content)
    assert case_summary(content["cases"][0]).sustained == course


def test_a_summary_older_than_curves_is_still_read() -> None:
    content = document(row(None))["cases"][0]
    del content["sustained"]
    assert case_summary(content).sustained is None


def test_the_headline_compares_two_minutes() -> None:
    assert minutes.headline(curves.hot()) == "minute 30 / minute 1: 1.18 (31.20 ms -> 36.80 ms)"
    none = replace(curves.hot(), ratio=None, first_minute=None, last_minute=None, reason="too short")
    assert minutes.headline(none) == "last minute / first minute: unknown, too short"


def test_a_terminal_shows_the_first_every_nth_and_the_last() -> None:
    text = terminal(curves.hot())
    assert "minute 30 / minute 1: 1.18 (31.20 ms -> 36.80 ms)" in text
    table = text[text.index("minute 30 /") : text.index("clock: cpufreq")]
    shown = re.findall(r"^ +(\d+) ", table, re.MULTILINE)
    assert shown == ["1", "3", "6", "9", "12", "15", "18", "21", "24", "27", "30"]
    assert "board_input" in table and "supply_rail" not in table
    assert re.search(r"30 +36\.80 +2100 +80\.0 +6\.900", table)


def test_markdown_and_csv_hold_every_minute() -> None:
    text = markdown.render(document(row(curves.hot())))
    assert len(re.findall(r"^\| \d+ \| \d\d\.\d\d \|", text, re.MULTILINE)) == 30
    assert "| minute | p50 ms | clock MHz | temperature C | board_input W |" in text
    (line,) = csv.DictReader(io.StringIO(comma.render(document(row(curves.hot())))))
    assert float(line["minute_ratio"]) == pytest.approx(1.1795, abs=1e-4)
    assert (line["first_minute"], line["last_minute"]) == ("1", "30")
    assert line["minute_p50_ns"].startswith("1=31200000 ") and line["minute_p50_ns"].endswith(" 31=36800000")
    assert line["minute_mean_c"].split()[-1] == "30=80"  # of the rest nothing was read
    assert line["minute_mean_w"].startswith("ina.VDD: 1=4 2=4.1 ")
    assert line["temperature_source"] == "thermal.cpu-thermal"


def test_what_is_unknown_has_its_reason_everywhere() -> None:
    text = " ".join(terminal(curves.blind()).split())
    assert curves.NO_CLOCK in text and curves.NO_TEMPERATURE in text
    assert "the window ended after 2 of 30 minutes" in text
    assert "temperature C" not in text
    (line,) = csv.DictReader(io.StringIO(comma.render(document(row(curves.blind())))))
    assert line["minute_mean_c"] == ""
    for reason in (curves.NO_CLOCK, curves.NO_TEMPERATURE, "minutes: the window ended after 2"):
        assert reason in line["reasons"]


def test_short_windows_have_none_of_it() -> None:
    content = document(row(None))
    assert "sustained" not in markdown.render(content)
    (line,) = csv.DictReader(io.StringIO(comma.render(content)))
    assert line["minute_ratio"] == line["minute_p50_ns"] == ""


@given(st.integers(1, 2000), st.integers(3, 20))
def test_thinning_keeps_both_ends(count: int, most: int) -> None:
    every = [Minute(number, 1, 1, 1.0, None, None, None) for number in range(1, count + 1)]
    kept = minutes.thinned(every, most)
    assert len(kept) <= most and kept[0] is every[0] and kept[-1] is every[-1]
    assert count > most or kept == every


def test_the_picture_has_three_panels_with_units_and_both_ends() -> None:
    svg = curve.render(row(curves.hot()), "results/x")
    told = words(svg)
    assert "minute 30 / minute 1: 1.18 (31.20 ms -> 36.80 ms)" in told
    for title in ("median latency, ms", "clock, MHz", "temperature, C (mean; dashed: highest)"):
        assert title in told
    assert {"31.20 ms", "36.80 ms", "minutes since the window began", "0", "30", "results/x"} <= set(told)
    root = ElementTree.fromstring(svg)
    curves_drawn = [line for line in root.iter(f"{SVG}polyline") if len(line.attrib["points"].split()) == 30]
    assert len(curves_drawn) == 4  # latency, clock, mean and highest temperature; the short rest is left out
    height, width = float(root.attrib["height"]), float(root.attrib["width"])
    for line in root.iter(f"{SVG}polyline"):
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height


def test_slower_is_higher_in_the_picture() -> None:
    svg = curve.render(row(curves.hot()), "x")
    latency = next(
        line
        for line in ElementTree.fromstring(svg).iter(f"{SVG}polyline")
        if len(line.attrib["points"].split()) == 30
    )
    heights = [float(point.split(",")[1]) for point in latency.attrib["points"].split()]
    assert heights == sorted(heights, reverse=True)


def test_an_empty_panel_says_why() -> None:
    told = words(curve.render(row(curves.blind()), "x"))
    assert curves.NO_TEMPERATURE in told and curves.NO_CLOCK in told
    assert any("the window ended after 2 of 30 minutes" in text for text in told)


def test_a_missing_minute_parts_the_line() -> None:
    course = curves.hot()
    gap = replace(course.minutes[14], clock_hz=None)
    svg = curve.render(row(replace(course, minutes=(*course.minutes[:14], gap, *course.minutes[15:]))), "x")
    counts = [
        len(line.attrib["points"].split()) for line in ElementTree.fromstring(svg).iter(f"{SVG}polyline")
    ]
    assert counts.count(14) == 1 and counts.count(15) == 1


def test_names_are_no_markup() -> None:
    svg = curve.render(row(curves.hot(), model="a<b>&\x1b[31m"), "<script>")
    assert "<script>" not in svg and "\x1b" not in svg
    assert any("a<b>&" in text for text in words(svg))


@given(st.floats(0, 1e9), st.floats(1e-3, 1e9), st.integers(2, 12))
def test_ticks_are_round_and_hold_the_values(low: float, span: float, about: int) -> None:
    found = curve.ticks(low, low + span, about)
    tolerance = 1e-6 * (low + span)
    assert found[0] <= low + tolerance and found[-1] >= low + span - tolerance
    assert 2 <= len(found) <= about + 3


def test_one_case_is_chosen() -> None:
    several = document(row(curves.hot()), row(curves.blind(), runtime="tflite"), row(None, runtime="pytorch"))
    assert curve.chosen(several, "tflite").summary.sustained == curves.blind()
    for wanted, count in (("", 2), ("nobody", 0), ("pytorch", 0)):
        with pytest.raises(InferometerError, match=f"is {count} cases; give a part of one: x86/onnxruntime"):
            curve.chosen(several, wanted)
    with pytest.raises(InferometerError, match="SUSTAINED=30m"):
        curve.chosen(document(row(None)), "")


def test_verify_draws_the_picture_again(tmp_path: Path) -> None:
    made = document(row(curves.hot()))
    again = renderers(tmp_path)["curve.svg"]
    drawn = curve.render(row(curves.hot()), content(made).rows[0].run).encode()
    path = tmp_path / "curve.svg"
    path.write_bytes(drawn)
    assert again(made) == drawn
    path.write_bytes(drawn.replace(b"31.2", b"30.2"))
    assert again(made) == drawn != path.read_bytes()

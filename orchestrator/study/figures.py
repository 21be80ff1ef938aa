"""A study's figures: latencies of one network as bars, a group a runtime, a bar a variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.report.cells import UNDER_EMULATION, number
from orchestrator.report.curve import ticks
from orchestrator.report.svg import Drawing
from orchestrator.study import words
from orchestrator.study.layout import case_of, groups, labels

_WIDTH, _LEFT, _RIGHT, _TOP, _BAR, _GAP, _BOTTOM = 880.0, 190.0, 190.0, 74.0, 20.0, 14.0, 56.0
_COLOURS = ("#1f5fa8", "#b3421f", "#23774a", "#7a4fa3", "#8a6d1d", "#4c6b78")
_GRID, _FRAME, _PALE = "#e4e4e4", "#8a8a8a", "#5c5c5c"


@dataclass(frozen=True)
class Bar:
    """One runtime and variant: its latency with the interval (ms), or the reason there is none."""

    runtime: str
    variant: str
    value: float | None
    low: float | None
    high: float | None
    reason: str | None


def draw(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(title, SVG) of each figure of the study; one a network id where several data were taken."""
    found = []
    for figure in document["study"]["figures"]:
        for rows in groups(document):
            if rows[0]["network"] == figure["model"]:
                bars = _bars(document, rows)
                found.append(
                    (f"{figure['title']}: {rows[0]['model']}", _picture(document, figure, rows, bars))
                )
    return found


def _bars(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Bar]:
    bars = []
    for label in labels(document, rows):
        for row in rows:
            one = case_of(row, label)
            if one is None:
                continue
            value, low, high = (
                None if one[name] is None or one["emulated"] else one[name] / 1e6
                for name in ("p50_ns", "low_ns", "high_ns")
            )
            reason = one["reason"] or (UNDER_EMULATION if one["emulated"] else None)
            bars.append(Bar(label, row["variant"], value, low, high, reason))
    return bars


def _picture(
    document: Mapping[str, Any],
    figure: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    bars: Sequence[Bar],
) -> str:
    runtimes = list(dict.fromkeys(bar.runtime for bar in bars))
    variants = list(dict.fromkeys(bar.variant for bar in bars))
    height = _TOP + len(bars) * _BAR + max(0, len(runtimes) - 1) * _GAP + _BOTTOM
    run = document["run"]
    where = f"{run['device']}, " if run else ""
    title = f"{figure['title']}: {rows[0]['model']} on {where}scale {document['scale'] or 'full'}"
    drawing = Drawing(_WIDTH, height + 20, title)
    drawing.text((20, 28), title, 16, bold=True)
    shout = "COMPARES TO NOTHING: a quick run of scaled-down networks" if words.warning(document) else None
    drawing.text(
        (20, 48), shout or "median latency, ms, with its 95 % interval", 12, "#b3421f" if shout else _PALE
    )
    steps = ticks(0.0, max((bar.high or bar.value or 0.0 for bar in bars), default=0.0) or 1.0, 6)
    bottom = height - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / steps[-1]

    for step in steps:
        drawing.line([(across(step), _TOP), (across(step), bottom)], _GRID)
        drawing.text((across(step), bottom + 16), f"{step:g}", 11, _PALE, "middle")
    drawing.line([(_LEFT, _TOP), (_LEFT, bottom)], _FRAME)
    drawing.text((across(steps[-1] / 2), bottom + 34), "ms", 12, _PALE, "middle")
    y, last = _TOP, None
    for bar in bars:
        if last is not None and bar.runtime != last:
            y += _GAP
        middle = y + _BAR / 2
        if bar.runtime != last:
            drawing.text((_LEFT - 60, middle + 4), bar.runtime, 12, anchor="end", bold=True)
        drawing.text((_LEFT - 8, middle + 4), bar.variant, 12, _PALE, "end")
        _bar(drawing, bar, middle, across, _COLOURS[variants.index(bar.variant) % len(_COLOURS)])
        y, last = y + _BAR, bar.runtime
    return drawing.document()


def _bar(drawing: Drawing, bar: Bar, middle: float, across: Any, colour: str) -> None:
    if bar.value is None:
        reason = bar.reason or "not measured"
        drawing.text((_LEFT + 6, middle + 4), reason if len(reason) < 90 else f"{reason[:88]}…", 11, _PALE)
        return
    drawing.line([(_LEFT, middle), (across(bar.value), middle)], colour, _BAR - 6)
    if bar.low is not None and bar.high is not None:
        drawing.line([(across(bar.low), middle), (across(bar.high), middle)], "#222222", 1.5)
        for end in (bar.low, bar.high):
            drawing.line([(across(end), middle - 4), (across(end), middle + 4)], "#222222", 1.5)
    drawing.text((across(bar.high or bar.value) + 8, middle + 4), number(bar.value), 12)

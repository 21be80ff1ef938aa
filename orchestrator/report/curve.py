"""A picture of a long window: latency, clock and temperature over minutes, one above the other."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain import CaseSummary, InferometerError, Minute, Sustained
from orchestrator.report.cells import number, time_unit
from orchestrator.report.minutes import MHZ, brief, headline, whole
from orchestrator.report.svg import Drawing, Point
from orchestrator.report.table import Row, content
from orchestrator.statistics.sustained import MINUTE_NS

_WIDTH, _LEFT, _RIGHT = 880.0, 80.0, 30.0
_TOP, _PANEL, _GAP, _BOTTOM = 96.0, 150.0, 46.0, 92.0
_GRID, _FRAME, _PALE = "#e4e4e4", "#8a8a8a", "#5c5c5c"
_MOST_DOTS = 120
_NAME = 66  # characters of a heading that fits at its size; a longer one is set smaller
_WORDS = 100  # characters in a line that fits the picture

Series = Sequence[tuple[float, float]]  # minutes since the window began, and the value


@dataclass(frozen=True)
class _Panel:
    """One of the three; ``least`` is the least span of its axis, so that noise looks flat."""

    title: str
    colour: str
    series: Series
    least: float
    absent: str
    highest: Series = ()  # drawn dashed beside it
    marks: Sequence[tuple[float, float, str]] = ()  # points with words


def chosen(document: Mapping[str, Any], wanted: str) -> Row:
    """The one sustained case of a checked document whose id has ``wanted`` in it.

    Raises InferometerError when there is none, or several.
    """
    rows = [row for row in content(document).rows if row.summary.sustained]
    if not rows:
        raise InferometerError("no case here has a long window; measure one with: make bench SUSTAINED=30m")
    found = [row for row in rows if wanted in row.summary.case.id]
    if len(found) != 1:
        ids = ", ".join(row.summary.case.id for row in found or rows)
        raise InferometerError(f"--case {wanted!r} is {len(found)} cases; give a part of one: {ids}")
    return found[0]


def render(row: CaseSummary, run: str) -> str:
    """The picture of a sustained case as an SVG file. Raises ValueError for a case that is not."""
    curve = row.sustained
    if curve is None:
        raise ValueError(f"{row.case.id} is not sustained")
    minutes = whole(curve)
    panels = _panels(curve, minutes)
    case = row.case
    name = f"{case.model} {case.variant} in {case.runtime_label} on {case.device}"
    drawing = Drawing(
        _WIDTH, _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM - _GAP, f"{name}: {headline(curve)}"
    )
    drawing.text((_LEFT, 32), name, min(18.0, 18.0 * _NAME / len(name)), bold=True)
    drawing.text((_LEFT, 56), headline(curve), 15)
    length = max(map(_end, minutes), default=1.0)
    for place, panel in enumerate(panels):
        _draw(drawing, panel, _TOP + place * (_PANEL + _GAP), length)
    _foot(drawing, row, curve, run, length)
    return drawing.document()


def _end(minute: Minute) -> float:
    """In minutes since the window began; a short last one ends early."""
    return minute.minute - 1 + minute.duration_ns / MINUTE_NS


def _middle(minute: Minute) -> float:
    return (minute.minute - 1 + _end(minute)) / 2


def _panels(curve: Sustained, minutes: Sequence[Minute]) -> list[_Panel]:
    unit = time_unit(one.p50_ns for one in minutes)
    latency = [(_middle(one), one.p50_ns / unit.ns) for one in minutes if one.p50_ns is not None]
    clock = [(_middle(one), one.clock_hz / MHZ) for one in minutes if one.clock_hz is not None]
    mean = [(_middle(one), one.mean_c) for one in minutes if one.mean_c is not None]
    highest = [(_middle(one), one.max_c) for one in minutes if one.max_c is not None]
    ends = [one for one in (curve.at(curve.first_minute), curve.at(curve.last_minute)) if one and one.p50_ns]
    marks = [
        (_middle(one), one.p50_ns / unit.ns, f"{number(one.p50_ns / unit.ns)} {unit.name}")
        for one in ends
        if one.p50_ns
    ]
    return [
        _Panel(
            f"median latency, {unit.name}",
            "#1f5fa8",
            latency,
            0.2 * _mean(latency),
            "no inference was timed",
            marks=marks,
        ),
        _Panel("clock, MHz", "#23774a", clock, 0.2 * _mean(clock), curve.clock_reason or "no clock was read"),
        _Panel(
            "temperature, C (mean; dashed: highest)" if mean else "temperature, C",
            "#b3421f",
            mean,
            10.0,
            curve.temperature_reason or "no temperature was read",
            highest,
        ),
    ]


def _mean(series: Series) -> float:
    return math.fsum(value for _, value in series) / len(series) if series else 0.0


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from at most ``low`` to at least ``high``."""
    rough = (high - low) / about
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


def _draw(drawing: Drawing, panel: _Panel, top: float, length: float) -> None:
    bottom, right = top + _PANEL, _WIDTH - _RIGHT
    drawing.text((_LEFT, top - 10), panel.title, 13, panel.colour, bold=True)
    if not panel.series:
        drawing.line([(_LEFT, top), (right, top), (right, bottom), (_LEFT, bottom), (_LEFT, top)], _GRID)
        lines = textwrap.wrap(panel.absent, _WORDS)
        for place, words in enumerate(lines):
            height = top + _PANEL / 2 + 18 * (place - (len(lines) - 1) / 2)
            drawing.text(((_LEFT + right) / 2, height), words, 13, _PALE, "middle")
        return
    values = [value for _, value in (*panel.series, *panel.highest)]
    missing = max(0.0, panel.least - (max(values) - min(values))) / 2
    steps = ticks(max(0.0, min(values) - missing), max(values) + missing, 4)
    low, high = steps[0], steps[-1]

    def at(minute: float, value: float) -> Point:
        return (
            _LEFT + (right - _LEFT) * minute / length,
            bottom - _PANEL * (value - low) / (high - low),
        )

    for minute in _minutes(length):
        drawing.line([at(minute, low), at(minute, high)], _GRID)
    for value in steps:
        drawing.line([at(0, value), at(length, value)], _GRID)
        drawing.text((_LEFT - 8, at(0, value)[1] + 4), f"{value:.10g}", 12, _PALE, "end")
    drawing.line([at(0, high), at(0, low), at(length, low)], _FRAME)
    for run in _runs(panel.highest):
        drawing.line([at(*point) for point in run], panel.colour, 1.2, "4 3")
    for run in _runs(panel.series):
        drawing.line([at(*point) for point in run], panel.colour, 2)
    if len(panel.series) <= _MOST_DOTS:
        drawing.dots((at(*point) for point in panel.series), panel.colour, 2.6)
    for place, (minute, value, words) in enumerate(panel.marks):
        x, y = at(minute, value)
        drawing.dots([(x, y)], panel.colour, 4.5)
        above = y - 10 if y - 24 > top else y + 20
        drawing.text((x, above), words, 12, panel.colour, "start" if place == 0 else "end", bold=True)


def _runs(series: Series) -> list[list[Point]]:
    """Stretches without a missing minute: over a gap no line is drawn."""
    runs: list[list[Point]] = []
    for point in series:
        if runs and point[0] - runs[-1][-1][0] < 1.5:
            runs[-1].append(point)
        else:
            runs.append([point])
    return [run for run in runs if len(run) > 1]


def _minutes(length: float) -> list[float]:
    """Whole minutes for the axis."""
    step = max(1.0, ticks(0.0, length, 10)[1])
    return [step * number for number in range(int(length / step) + 1)]


def _foot(drawing: Drawing, row: CaseSummary, curve: Sustained, run: str, length: float) -> None:
    bottom = drawing.height - _BOTTOM
    for minute in _minutes(length):
        x = _LEFT + (_WIDTH - _RIGHT - _LEFT) * minute / length
        drawing.text((x, bottom + 18), f"{minute:g}", 12, _PALE, "middle")
    drawing.text(
        ((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 37), "minutes since the window began", 12, _PALE, "middle"
    )
    read = [
        f"{what}: {brief(source)}"
        for what, source in (("clock", curve.clock_source), ("temperature", curve.temperature_source))
        if source
    ]
    batch = f"batch {row.case.batch}, threads {row.case.threads}, {row.case.accelerator}"
    drawing.text((_LEFT, bottom + 60), "; ".join([batch, f"engine {row.engine}", *read]), 11, _PALE)
    drawing.text((_LEFT, bottom + 77), f"{run}; {curve.cut}" if curve.cut else run, 11, _PALE)

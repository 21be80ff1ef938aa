"""What figures show, as lines under the tables: notes, the roof of the board, curves over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.domain import Case, CaseSummary, InferometerError, Note, Roofline, SpeedMode
from orchestrator.merge import case_summary
from orchestrator.report import notes
from orchestrator.report.cells import Unit, number, plain, time_unit
from orchestrator.report.table import Content
from orchestrator.scaling import MULTI_STREAM, curves

# What the findings of the same report say already.
_TOLD = ("thermal", "noisy_neighbour", "harness_share")


def sections(document: Mapping[str, Any], found: Content) -> list[tuple[str, list[str]]]:
    """``(title, lines)`` of those that have something to say."""
    made = [
        ("Speed modes", mode_lines(found)),
        ("Explained", note_lines(found)),
        ("Limits", roof_lines(found)),
        ("Queries", query_lines(found)),
        ("Scaling", curve_lines(curves_of(document), found)),
    ]
    return [(title, [plain(line) for line in lines]) for title, lines in made if lines]


def mode_lines(found: Content) -> list[str]:
    """``row: 8.90 ms (8.85–8.95) in 3 of 5 launches, 60 % (23–88 %); ...`` of rows with several modes."""
    lines = [
        f"{notes.name(row.summary.case, found)}: {_modes(row.summary)}"
        for row in found.rows
        if row.summary.modes
    ]
    return _few(lines, "more (see --format csv)")


def _modes(row: CaseSummary) -> str:
    unit = time_unit(mode.p50_ns for mode in row.modes)
    return "; ".join(_mode(mode, unit, row.launches) for mode in row.modes)


def _mode(mode: SpeedMode, unit: Unit, launches: int) -> str:
    interval = ""
    if mode.low_ns is not None and mode.high_ns is not None:
        interval = f" ({number(mode.low_ns / unit.ns)}–{number(mode.high_ns / unit.ns)})"
    share = f"{mode.share:.0%} ({mode.share_low:.0%} to {mode.share_high:.0%})"
    counted = f"{mode.launches} of {launches} launches"
    return f"{number(mode.p50_ns / unit.ns)} {unit.name}{interval} in {counted}, {share}"


def curves_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Those of a run's document; of a comparison, whose file has none, those of its rows."""
    return curves(document["cases"]) if "runs" in document else document.get("curves") or ()


def note_lines(found: Content) -> list[str]:
    """``row: sentence``; of one kind no more than findings list."""
    by_code: dict[str, list[str]] = {}
    for row in found.rows:
        for note in row.summary.notes:
            if note.code not in _TOLD:
                by_code.setdefault(note.code, []).append(
                    f"{notes.name(row.summary.case, found)}: {note.text}"
                )
    lines = []
    for code, told in sorted(by_code.items()):
        lines += _few(told, f"more rows with {code} (see inferometer explain)")
    return lines


def _few(lines: Sequence[str], more: str) -> list[str]:
    """No more than findings list, and how many more there are."""
    rest = len(lines) - notes.LISTED
    return [*lines[: notes.LISTED], *([f"{rest} {more}"] if rest > 0 else [])]


def roof_lines(found: Content) -> list[str]:
    """How far each row is from the limit of its board, where that was measured."""
    lines = [
        f"{notes.name(row.summary.case, found)}: {roof(row.summary.roofline)}"
        for row in found.rows
        if row.summary.roofline and row.summary.roofline.share
    ]
    return _few(lines, "more (see inferometer explain)")


def roof(place: Roofline) -> str:
    """``12.3 GFLOP/s, 41 % of at most 30.1 (compute)``, or why that is not known."""
    if place.share is None or place.flop_per_s is None or place.limit_flop_per_s is None:
        return f"limit unknown: {place.reason}"
    return (
        f"{number(place.flop_per_s / 1e9)} GFLOP/s, {place.share:.0%} of at most "
        f"{number(place.limit_flop_per_s / 1e9)} (limited by {place.bound}; {place.peak} peak)"
    )


def query_lines(found: Content) -> list[str]:
    """The figure that counts in a multi-stream run: p99 of the latency of its queries."""
    asked = {run["name"] for run in found.runs if run.get("scenario") == MULTI_STREAM}
    lines = []
    for row in found.rows:
        if row.run in asked and row.summary.p50_ns and not row.summary.emulated:
            p99 = row.summary.p99
            time = time_unit([p99.value_ns])
            told = (
                f"{number(p99.value_ns / time.ns)} {time.name}" if p99.value_ns else f"unknown, {p99.reason}"
            )
            name, inputs = notes.name(row.summary.case, found), row.summary.case.batch
            lines.append(f"{name}: p99 of a query of {inputs} inputs {told}, {row.summary.count} queries")
    return _few(lines, "more (see column p99)")


def curve_lines(drawn: Sequence[Mapping[str, Any]], found: Content) -> list[str]:
    """``resnet50 onnxruntime over batch: 1 26.1/s, 8 31.0/s (median x 1.19); knee at 8``."""
    lines = []
    for curve in drawn:
        kind = curve["kind"]
        case = Case.from_json({**curve["case"], kind: curve["points"][0]["x"]})
        name = notes.name(case, found, without=kind)
        points = ", ".join(_point(point) for point in curve["points"])
        knee = f"knee at {curve['knee']}" if curve["knee"] else "no knee"
        reason = f" ({curve['reason']})" if curve["reason"] else ""
        lines.append(f"{name} over {kind}: {points}; {knee}{reason}")
    return _few(lines, "more (see --format json)")


def _point(point: Mapping[str, Any]) -> str:
    gain = "" if point["speed_up"] == 1 else f" (median x {point['speed_up']:.2f})"
    rate = "unknown" if point["rate_hz"] is None else number(point["rate_hz"])
    return f"{point['x']} {rate}/s{gain}"


def note_line(note: Note) -> str:
    """One note with what it rests on."""
    evidence = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in note.evidence.items()
        if not (isinstance(value, str) and value in note.text)  # a finding's words, for one
    )
    return plain(f"{note.code}: {note.text}" + (f" [{evidence}]" if evidence else ""))


def of_cases(document: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    """``{"case", "notes", "roofline"}`` of each case whose id holds ``part``. Raises InferometerError."""
    rows: list[dict[str, Any]] = [
        {
            "case": summary.case.id,
            "notes": [asdict(note) for note in summary.notes],
            "roofline": asdict(summary.roofline) if summary.roofline else None,
        }
        for summary in map(case_summary, document["cases"])
    ]
    found = [row for row in rows if part in row["case"]]
    if not found:
        few = ", ".join(row["case"] for row in rows[: notes.LISTED]) or "none"
        raise InferometerError(f"--case {part!r}: no case of this run has it in its id; there are {few}")
    return found


def case_lines(row: Mapping[str, Any]) -> list[str]:
    """A case of :func:`of_cases`: its id, how far it is from its limit, its notes with their evidence."""
    place = Roofline(**row["roofline"]) if row["roofline"] else None
    lines = [plain(row["case"]), f"  {plain(roof(place))}" if place else "  no limit is known"]
    return lines + [f"  {note_line(Note(**note))}" for note in row["notes"]]

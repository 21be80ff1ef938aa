"""Tables on a terminal: readable from 80 columns on, plain where the output is no terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from orchestrator.domain import Sustained
from orchestrator.report import explained, minutes, notes, stability
from orchestrator.report.cells import plain
from orchestrator.report.console import Output
from orchestrator.report.grid import GAP, Strip, blocks, lines, narrowed, total
from orchestrator.report.table import Column, Group, content

_STYLES = {"valid": "green", "suspect": "yellow", "invalid": "red", "failed": "red"}
_LEAST_WIDTH = 40  # what COLUMNS may say of a narrower terminal (0, 1) leaves no room to wrap in
_FINDINGS_WIDTH = 40  # codes wrap between words; the longest code fits


def show(document: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a summary document or merged comparison; ``console`` is standard output by default."""
    console = console or Output(highlight=False)
    console.width = max(console.width, _LEAST_WIDTH)
    found = content(document)
    for run in found.runs:
        _say(console, notes.heading(run), hang=2)
    weights = notes.weights_line(found.rows)
    if weights:
        _say(console, weights, "bold")
    for group in found.groups:
        _group(console, group)
        for row in group.rows:
            if row.summary.sustained:
                _curve(console, notes.name(row.summary.case, found), row.summary.sustained)
    console.print()
    _say(console, notes.legend(found.rows) if found.rows else "No case was measured.", "dim")
    for line in notes.method_lines(found):
        _say(console, line, "dim", hang=2)
    _findings(console, notes.notes(found), notes.run_findings(found.runs))
    sections = explained.sections(document, found)
    skipped = notes.skips(found)
    if skipped:
        sections.append((f"Skipped: {len(found.skips)}", skipped))
    for title, lines_ in sections:
        console.print()
        _say(console, title, "bold")
        for line in lines_:
            _say(console, line, indent=2, hang=2)


def _say(console: Console, text: str, style: str = "", indent: int = 0, hang: int = 0) -> None:
    wrapped = textwrap.wrap(
        text,
        console.width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    # Text, not str: square brackets in a runner's message are no markup.
    console.print(Text("\n".join(wrapped), style=style), soft_wrap=True)


def _group(console: Console, group: Group) -> None:
    constants = [
        f"{value} {title}" if title in ("engine", "variant") else f"{title} {value}"
        for title, value in group.constant.items()
        if title != "device"
    ]
    console.print()
    console.print(Text.assemble((plain(group.model), "bold"), "   ", (plain(" · ".join(constants)), "dim")))
    footnotes, common = notes.Footnotes(), notes.common_codes(group)

    def strips(columns: Sequence[Column]) -> list[Strip]:
        return [
            Strip.fitting(
                column.title, [footnotes.mark(column.cell(row.summary)) for row in group.rows], column.left
            )
            for column in columns
        ]

    identity, figures = strips(group.varying()), strips(stability.marked(group.figures))
    codes = [notes.codes(row.summary, common) for row in group.rows]
    if identity and total(identity) > console.width // 2:
        identity = _numbered(console, identity)
    room = console.width - total(identity)
    if any(codes):
        figures.append(Strip.fitting("findings", codes, True, min(room, _FINDINGS_WIDTH)))
    for block in blocks(figures, room):
        _table(console, [*identity, *block])
    legend = stability.legend(row.summary for row in group.rows)
    if footnotes.reasons or legend:
        console.print()
    for line in (*footnotes.lines(), legend):
        _say(console, line, "dim", hang=2)


def _curve(console: Console, name: str, curve: Sustained) -> None:
    console.print()
    _say(console, f"{name}, sustained", "bold")
    _say(console, minutes.headline(curve))
    _say(console, curve.cut or "", "yellow")
    found = minutes.table(curve, minutes.thinned(minutes.whole(curve)))
    strips = [
        Strip.fitting(title, [row[place] for row in found.rows], left=False)
        for place, title in enumerate(found.titles)
    ]
    for block in blocks(strips[1:], console.width - total(strips[:1])):
        _table(console, [*strips[:1], *block])
    console.print()
    _say(console, minutes.sources_line(curve), "dim", hang=2)


def _numbered(console: Console, identity: Sequence[Strip]) -> list[Strip]:
    """Print what tells the rows apart once, as a table of its own; numbers stand for it in the others."""
    numbers = Strip.fitting("row", [str(n + 1) for n in range(len(identity[0].texts))], left=False)
    _table(console, [numbers, *narrowed(identity, console.width - total([numbers]))])
    return [numbers]


def _table(console: Console, strips: Sequence[Strip]) -> None:
    text = Text("\n".join((" " * GAP).join(line).rstrip() for line in lines(strips)))
    for word, style in _STYLES.items():
        text.highlight_regex(rf"(?<!\S){word}(?=[¹²³⁴⁵⁶⁷⁸⁹⁰]*(?!\S))", style)
    text.highlight_regex(r"\([\d.–]+\)", "dim")  # figures that mean nothing
    console.print()
    console.print(text, soft_wrap=True)


def _findings(console: Console, found: Sequence[notes.Note], of_runs: Sequence[str]) -> None:
    if not found and not of_runs:
        return
    console.print()
    _say(console, "Findings", "bold")
    for line in of_runs:
        _say(console, line, indent=2, hang=2)
    for note in found:
        _say(console, note.head(), indent=2, hang=2)
        for line in note.lines():
            _say(console, line, "dim", indent=4, hang=2)

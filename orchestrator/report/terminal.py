"""Tables on a terminal: readable from 80 columns on, plain where the output is no terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.report import notes
from orchestrator.report.cells import Cell
from orchestrator.report.table import Column, Group, content

_STYLES = {"valid": "green", "suspect": "yellow", "invalid": "red", "failed": "red"}
_GAP = 2
_FINDINGS = "findings"
_FINDINGS_WIDTH = 24  # codes wrap between words; the longest code fits


Filled = tuple[Column, Sequence[str]]  # a column with the texts of its rows


def show(document: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a summary document or merged comparison; ``console`` is standard output by default."""
    console = console or Console(highlight=False)
    found = content(document)
    for run in found.runs:
        _say(console, notes.heading(run), hang=2)
    weights = notes.weights_line(found.rows)
    if weights:
        _say(console, weights, "bold")
    for group in found.groups:
        _group(console, group)
    console.print()
    _say(console, notes.LEGEND if found.rows else "No case was measured.", "dim")
    _findings(console, notes.notes(found), notes.run_findings(found.runs))
    skipped = notes.skips(found)
    if skipped:
        console.print()
        _say(console, f"Skipped: {len(found.skips)}", "bold")
        for line in skipped:
            _say(console, line, indent=2, hang=2)


def _say(console: Console, text: str, style: str = "", indent: int = 0, hang: int = 0) -> None:
    lines = textwrap.wrap(
        text,
        console.width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        # Text, not str: square brackets in a runner's message are no markup.
        console.print(Text(line, style=style), soft_wrap=True)


def _group(console: Console, group: Group) -> None:
    constants = [
        f"{value} {title}" if title in ("engine", "variant") else f"{title} {value}"
        for title, value in group.constant.items()
        if title != "device"
    ]
    console.print()
    console.print(Text.assemble((group.model, "bold"), "   ", (" · ".join(constants), "dim")))
    footnotes, common = notes.Footnotes(), notes.common_codes(group)

    def texts(columns: Sequence[Column]) -> list[Filled]:
        return [(item, [footnotes.mark(item.cell(row.summary)) for row in group.rows]) for item in columns]

    identity, figures = texts(group.varying()), texts(group.figures)
    codes = [notes.codes(row.summary, common) for row in group.rows]
    if any(codes):
        figures.append((Column(_FINDINGS, lambda row: Cell(""), left=True), codes))
    if _total(identity) > console.width // 2:
        identity = _numbered(console, identity)
    for block in _blocks(figures, console.width - _total(identity)):
        console.print()
        console.print(_table([*identity, *block]))
    if footnotes.reasons:
        console.print()
    for line in footnotes.lines():
        _say(console, line, "dim", hang=2)


def _numbered(console: Console, identity: Sequence[Filled]) -> list[Filled]:
    """Print what tells the rows apart once, as a table of its own; numbers stand for it in the others."""
    numbers: Filled = (Column("row", lambda row: Cell("")), [str(n + 1) for n in range(len(identity[0][1]))])
    console.print()
    console.print(_table([numbers, *identity], fixed=False))
    return [numbers]


def _table(columns: Sequence[Filled], fixed: bool = True) -> Table:
    """Columns side by side; only findings wrap, or every text where the width is not ``fixed``."""
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="", collapse_padding=True)
    for column, texts in columns:
        table.add_column(
            column.title,
            justify="left" if column.left else "right",
            no_wrap=fixed and column.title != _FINDINGS,
            overflow="fold",
            min_width=_width(column, texts) if fixed else None,
        )
    table.add_row(
        *(Text("─" * _width(column, texts), style="dim", overflow="crop") for column, texts in columns)
    )
    for cells in zip(*(texts for _, texts in columns), strict=True):
        table.add_row(*(Text(text, style=_STYLES.get(text.rstrip("¹²³⁴⁵⁶⁷⁸⁹⁰"), "")) for text in cells))
    return table


def _width(column: Column, texts: Sequence[str]) -> int:
    widest = max(map(cell_len, [*column.title.split("\n"), *texts]))
    return min(widest, _FINDINGS_WIDTH) if column.title == _FINDINGS else widest


def _total(columns: Sequence[Filled]) -> int:
    return sum(_width(*filled) + _GAP for filled in columns)


def _blocks(columns: Sequence[Filled], room: int) -> list[list[Filled]]:
    """The figures cut into tables that fit beside the identity columns, at least one column each."""
    blocks: list[list[Filled]] = [[]]
    for filled in columns:
        if blocks[-1] and _total([*blocks[-1], filled]) - _GAP > room:
            blocks.append([])
        blocks[-1].append(filled)
    return blocks


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

"""Markdown tables, one a model, with everything a reader needs to believe them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.domain import Sustained
from orchestrator.report import explained, minutes, notes
from orchestrator.report.table import Group, content


def render(document: Mapping[str, Any]) -> str:
    """A summary document or merged comparison as GitHub-flavoured Markdown."""
    found = content(document)
    lines = [escape(notes.heading(run)) + "  " for run in found.runs]
    weights = notes.weights_line(found.rows)
    if weights:
        lines += ["", f"**{escape(weights)}**"]
    for group in found.groups:
        lines += ["", f"### {escape(group.model)}", "", *_table(group)]
        for row in group.rows:
            if row.summary.sustained:
                lines += _curve(notes.name(row.summary.case, found), row.summary.sustained)
    if not found.rows:
        lines += ["", "No case was measured."]
    else:
        lines += ["", escape(notes.legend(found.rows))]
    lines += [line for told in notes.method_lines(found) for line in ("", escape(told))]
    lines += _findings(notes.notes(found), notes.run_findings(found.runs))
    sections = explained.sections(document, found)
    skipped = notes.skips(found)
    if skipped:
        sections.append((f"Skipped: {len(found.skips)} cases", skipped))
    for title, told in sections:
        lines += ["", f"### {title}", "", *_list(told)]
    return "\n".join(lines) + "\n"


def _table(group: Group) -> list[str]:
    footnotes, common = notes.Footnotes(), notes.common_codes(group)
    columns = [*group.identity, *group.figures]
    titles = [column.title.replace("\n", " ") for column in columns] + ["findings"]
    ruler = [":--" if column.left else "--:" for column in columns] + [":--"]
    lines = [table_row(titles), table_row(ruler)]
    for row in group.rows:
        texts = [footnotes.mark(column.cell(row.summary)) for column in columns]
        lines.append(table_row([escape(text) for text in [*texts, notes.codes(row.summary, common)]]))
    marked = [escape(line) + "  " for line in footnotes.lines()]
    return [*lines, "", *marked] if marked else lines


def _curve(name: str, curve: Sustained) -> list[str]:
    found = minutes.table(curve, minutes.whole(curve))
    head = [escape(line) for line in (f"{name}, sustained", minutes.headline(curve), curve.cut) if line]
    lines = ["", f"#### {head[0]}", ""] + [f"{line}  " for line in head[1:]] + [""]
    lines += [
        table_row(title.replace("\n", " ") for title in found.titles),
        table_row("--:" for _ in found.titles),
    ]
    return [*lines, *map(table_row, found.rows), "", escape(minutes.sources_line(curve))]


def _findings(found: Sequence[notes.Note], of_runs: Sequence[str]) -> list[str]:
    if not found and not of_runs:
        return []
    lines = ["", "### Findings", "", *_list(of_runs)]
    for note in found:
        lines.append(f"- {escape(note.head())}")
        lines += [f"  - {escape(line)}" for line in note.lines()]
    return lines


def table_row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _list(lines: Iterable[str]) -> list[str]:
    return [f"- {escape(line)}" for line in lines]


def escape(text: str) -> str:
    """Text from runners and folders must not become markup or another column."""
    for char in "\\|*`[]":
        text = text.replace(char, f"\\{char}")
    return text.replace("<", "&lt;").replace(">", "&gt;")

"""``report.md``: a study's tables in the paper's layout, with everything a reader needs beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.report.markdown import escape, table_row
from orchestrator.study import words
from orchestrator.study.layout import Grid, grids


def render(document: Mapping[str, Any], figures: Sequence[tuple[str, str]] = ()) -> str:
    """The report as GitHub-flavoured Markdown; ``figures``: (title, file beside the report)."""
    study = document["study"]
    lines = [f"# {escape(study['id'])}: {escape(study['title'])}", ""]
    shout = words.warning(document)
    if shout:
        lines += [f"> **{escape(shout)}**", ""]
    lines += [f"- {escape(line)}" for line in words.heading(document)]
    said = words.published_line(document)
    if said:
        lines += ["", escape(said)]
    last = None
    for grid in grids(document):
        if grid.title != last:
            lines += ["", f"## {escape(grid.title)}"]
            last = grid.title
        lines += _table(grid)
    for title, file in figures:
        lines += ["", f"## {escape(title)}", "", f"![{escape(title)}]({file})"]
    for title, found in words.sections(document):
        lines += ["", f"## {title}", "", *(f"- {escape(line)}" for line in found)]
    return "\n".join([*lines, "", escape(words.legend())]) + "\n"


def _table(grid: Grid) -> list[str]:
    titles = [escape(title.replace("\n", " ")) for title in grid.titles]
    lines = [
        "",
        f"### {escape(grid.network)}",
        "",
        table_row(titles),
        table_row([":--", *["--:"] * (len(titles) - 1)]),
    ]
    lines += [table_row(map(escape, texts)) for texts in grid.rows]
    return [*lines, "", *(escape(note) + "  " for note in grid.notes)] if grid.notes else lines

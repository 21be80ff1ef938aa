"""A study's report on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.report.grid import GAP, Strip, blocks, lines, narrowed, total
from orchestrator.study import words
from orchestrator.study.layout import Grid, grids


def render(document: Mapping[str, Any], width: int) -> list[str]:
    """The lines of the report, at most ``width`` characters each."""
    study = document["study"]
    found = [f"{study['id']}: {study['title']}", *words.heading(document)]
    found += [line for line in (words.published_line(document),) if line]
    shout = words.warning(document)
    text = [part for line in found for part in _wrapped(line, width)]
    if shout:
        text = ["!" * width, *_wrapped(shout, width), "!" * width, *text]
    for grid in grids(document):
        text += ["", *_wrapped(f"{grid.title}: {grid.network}", width), *_table(grid, width)]
        text += [part for note in grid.notes for part in _wrapped(note, width)]
    for title, said in words.sections(document):
        text += ["", title, *(part for line in said for part in _wrapped(f"  {line}", width))]
    return [*text, "", *_wrapped(words.legend(), width)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


def _table(grid: Grid, width: int) -> Iterator[str]:
    columns = list(zip(*grid.rows, strict=True))
    strips = [
        Strip.fitting(title, texts, left=number == 0)
        for number, (title, texts) in enumerate(zip(grid.titles, columns, strict=True))
    ]
    first, rest = strips[:1], strips[1:]
    for block in blocks(rest, width - total(first)):  # too wide: cut, each part with the row's name
        for cells in lines(narrowed([*first, *block], width)):
            yield (" " * GAP).join(cells).rstrip()

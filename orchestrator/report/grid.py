"""Columns of text side by side, sized to a width; long texts wrap inside their column."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

GAP = 2
LEAST_WIDTH = 8


@dataclass(frozen=True)
class Strip:
    """A column: its title (a line feed parts it from the unit), the texts of its rows, its width."""

    title: str
    texts: Sequence[str]
    left: bool
    width: int

    @classmethod
    def fitting(cls, title: str, texts: Sequence[str], left: bool, most: int | None = None) -> Strip:
        """As wide as its widest line, or ``most``."""
        widest = max(map(cell_len, [*title.split("\n"), *texts]))
        return cls(title, texts, left, widest if most is None else min(widest, most))

    def aligned(self, text: str) -> str:
        """The text padded to the width."""
        space = " " * (self.width - cell_len(text))
        return text + space if self.left else space + text


def total(strips: Sequence[Strip]) -> int:
    """The width of strips with the gap after each."""
    return sum(strip.width + GAP for strip in strips)


def blocks(strips: Sequence[Strip], room: int) -> list[list[Strip]]:
    """Strips cut into tables that fit into ``room`` characters, at least one strip each."""
    found: list[list[Strip]] = [[]]
    for strip in strips:
        if found[-1] and total([*found[-1], strip]) - GAP > room:
            found.append([])
        found[-1].append(strip)
    return found


def narrowed(strips: Sequence[Strip], room: int) -> list[Strip]:
    """Strips made to fit by taking from the widest, but no strip below 8 characters."""
    widths = [strip.width for strip in strips]
    while sum(widths) + GAP * (len(widths) - 1) > room and max(widths) > LEAST_WIDTH:
        widths[widths.index(max(widths))] -= 1
    return [Strip(s.title, s.texts, s.left, width) for s, width in zip(strips, widths, strict=True)]


def lines(strips: Sequence[Strip]) -> Iterator[list[str]]:
    """The table line by line, each a list of padded cells: titles, a rule, then the rows."""
    height = max(strip.title.count("\n") + 1 for strip in strips)
    titles = [strip.title.split("\n") for strip in strips]
    yield from _side_by_side(strips, [[""] * (height - len(title)) + title for title in titles])
    yield ["─" * strip.width for strip in strips]
    for row in zip(*(strip.texts for strip in strips), strict=True):
        wrapped = [_wrap(text, strip.width) for text, strip in zip(row, strips, strict=True)]
        yield from _side_by_side(strips, wrapped)


def _wrap(text: str, width: int) -> list[str]:
    return [text] if cell_len(text) <= width else textwrap.wrap(text, width, break_on_hyphens=False)


def _side_by_side(strips: Sequence[Strip], cells: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    for number in range(max(map(len, cells))):
        yield [
            strip.aligned(cell[number] if number < len(cell) else "")
            for strip, cell in zip(strips, cells, strict=True)
        ]

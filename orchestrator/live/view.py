"""The picture as lines of text, as wide as a terminal: a table, what is not here, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.live.picture import Row

_TITLES = ("source", "value", "scope", "method", "rate", "why not")
_WIDE = 100  # columns from which on the words that never change are shown
_SHORTEST = 14  # a name that is cut keeps so much
_GAP, _CUT = "  ", ".."


@dataclass(frozen=True)
class Line:
    """``style``: ``bold`` for titles, ``dim`` where there is no value, else empty."""

    text: str
    style: str = ""


def lines(rows: Sequence[Row], width: int | None) -> list[Line]:
    """``width``: columns of the terminal, which narrow tables fit; None: as wide as it gets."""
    gone = _absent(rows)
    shown = [row for row in rows if _family(row) not in gone]
    found = _table(shown, width)
    if gone:
        found.append(Line(f"no sensor here: {', '.join(gone)}"))
    return [*found, *map(Line, _fixes(rows))]


def cells(row: Row) -> tuple[str, ...]:
    """What the titles announce."""
    return row.source, row.value, row.scope, row.method, row.rate, row.note


def _family(row: Row) -> str:
    return row.source.partition(".")[0]


def _absent(rows: Sequence[Row]) -> list[str]:
    """Families of which nothing is here, in order."""
    reasons: dict[str, set[str | None]] = {}
    for row in rows:
        reasons.setdefault(_family(row), set()).add(row.reason)
    return [family for family, found in reasons.items() if found == {"no_sensor"}]


def _fixes(rows: Sequence[Row]) -> list[str]:
    """A line a distinct fix, with the families that it would help."""
    helped: dict[str, list[str]] = {}
    for row in rows:
        if row.fix and _family(row) not in helped.setdefault(row.fix, []):
            helped[row.fix].append(_family(row))
    return [f"to read {', '.join(families)}: {fix}" for fix, families in helped.items()]


def _table(rows: Sequence[Row], width: int | None) -> list[Line]:
    columns = list(range(len(_TITLES)))
    if width is not None and width < _WIDE:
        columns = [number for number in columns if _TITLES[number] not in ("scope", "method")]
        if sum(_widths(rows, columns)) > width:
            columns = [number for number in columns if _TITLES[number] != "rate"]
    widths = _widths(rows, columns)
    table = [_TITLES, *map(cells, rows)]
    if width is not None and sum(widths) > width:
        room = max(_SHORTEST, widths[0] - len(_GAP) - (sum(widths) - width))
        names = _shortened([row.source for row in rows], room)
        table = [_TITLES, *((name, *cells(row)[1:]) for name, row in zip(names, rows, strict=True))]
        widths[0] = max(map(len, (_TITLES[0], *names))) + len(_GAP)
    texts = [
        "".join(line[number].ljust(wide) for number, wide in zip(columns, widths, strict=True)).rstrip()
        for line in table
    ]
    styles = ["bold", *("dim" if row.note else "" for row in rows)]
    return [Line(text, style) for text, style in zip(texts, styles, strict=True)]


def _widths(rows: Sequence[Row], columns: Sequence[int]) -> list[int]:
    """Of each column with the gap after it; the last has none."""
    table = [_TITLES, *map(cells, rows)]
    widths = [max(len(line[number]) for line in table) + len(_GAP) for number in columns]
    return [*widths[:-1], widths[-1] - len(_GAP)]


def _shortened(names: Sequence[str], room: int) -> list[str]:
    """Names cut in their middle; those that would look the same stay whole."""
    cut = [_cut(name, room) for name in names]
    return [short if cut.count(short) == 1 else name for short, name in zip(cut, names, strict=True)]


def _cut(name: str, room: int) -> str:
    if len(name) <= room:
        return name
    kept = room - len(_CUT)
    return name[: kept - kept // 2] + _CUT + name[len(name) - kept // 2 :]

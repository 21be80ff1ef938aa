"""How the launches of a row hold together: a word, or a letter where a table is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.domain import CaseSummary
from orchestrator.report import cells
from orchestrator.report.cells import UNKNOWN, Cell
from orchestrator.report.column import Column

STABILITY, VERDICT = "stability", "verdict"
_STABLE = "S"
_LETTERS = {"STABLE": _STABLE, "MULTIMODAL": "M", "UNSTABLE": "U"}


def word(row: CaseSummary) -> Cell:
    """STABLE, MULTIMODAL or UNSTABLE."""
    if row.stability is None:
        return Cell(UNKNOWN, cells.reason(row, STABILITY) if row.p50_ns is not None else None)
    return Cell(row.stability)


def letter(row: CaseSummary) -> str:
    """The first letter of the word; empty where launches were not judged."""
    return _LETTERS.get(row.stability or "", "")


def told(rows: Iterable[CaseSummary], without: str = "") -> str:
    """``M multimodal, U unstable``: the letters that stand in these rows."""
    there = {row.stability for row in rows}
    return ", ".join(
        f"{sign} {name.lower()}" for name, sign in _LETTERS.items() if name in there and sign not in without
    )


def marked(columns: Sequence[Column]) -> list[Column]:
    """Columns for a terminal: no column for what is mostly STABLE, a letter after the verdict where not."""
    return [
        Column(column.title, _verdict, left=True) if column.title == VERDICT else column
        for column in columns
        if column.title != STABILITY
    ]


def legend(rows: Iterable[CaseSummary]) -> str:
    """What :func:`marked` needs below its table; empty where there is no mark."""
    return told(rows, without=_STABLE)


def _verdict(row: CaseSummary) -> Cell:
    sign = letter(row)
    return Cell(f"{row.verdict.value} {sign}" if sign not in ("", _STABLE) else row.verdict.value)

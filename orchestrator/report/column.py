"""One column of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.domain import CaseSummary
from orchestrator.report.cells import Cell


@dataclass(frozen=True)
class Column:
    """``title`` may hold a line feed: the unit stands on the second line."""

    title: str
    cell: Callable[[CaseSummary], Cell]
    left: bool = False

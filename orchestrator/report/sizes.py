"""Columns of what compression is for: sizes, operations, and the accuracy they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.domain import CaseSummary, Size
from orchestrator.report.cells import MIB, UNKNOWN, Cell, number
from orchestrator.report.column import Column

BASELINE = "nq"
NOT_RECORDED = "not recorded when it was exported"


def size_columns(rows: Sequence[CaseSummary]) -> list[Column]:
    """None where there are no variants to compare."""
    if all(row.case.variant == BASELINE or row.artifact is None for row in rows):
        return []
    return [
        _column("deflated\nMiB", lambda size: size.deflated_bytes, MIB),
        _column("parameters\nM", lambda size: size.parameters, 1e6),
        _column("nonzero\nM", lambda size: size.nonzero_parameters, 1e6),
        _column("MACs\nM", lambda size: size.macs, 1e6),
        Column("drop\npoints", _drop),
    ]


def _column(title: str, value: Callable[[Size], int | None], unit: float) -> Column:
    def cell(row: CaseSummary) -> Cell:
        found = value(row.artifact) if row.artifact else None
        return Cell(UNKNOWN, NOT_RECORDED) if found is None else Cell(number(found / unit))

    return Column(title, cell)


def _drop(row: CaseSummary) -> Cell:
    size = row.artifact
    if size is None:
        return Cell(UNKNOWN, NOT_RECORDED)
    if size.accuracy_drop_points is None:
        return Cell(UNKNOWN, size.accuracy_drop_reason)
    return Cell(f"{size.accuracy_drop_points:.2f}")

"""Clock and temperature in tables: one figure each, of what tells most; the files have every sensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.domain import CaseSummary
from orchestrator.report import cells
from orchestrator.report.cells import UNKNOWN, Cell
from orchestrator.report.column import Column

_MHZ = 1e6
_FIRMWARE = "vcgencmd.clock_arm"  # the kernel's figure is a wish where the firmware decides


def clock_of(row: CaseSummary) -> tuple[str, float] | None:
    """The clock domain that ran the case, and its mean in Hz: the GPU's, the firmware's, or the fastest."""
    gpu = {name: hz for name, hz in row.clocks_hz.items() if name.startswith(("nvml.", "devfreq."))}
    known = gpu if row.case.accelerator != "cpu" and gpu else {**row.clocks_hz}
    if known is not gpu:
        known = {name: hz for name, hz in known.items() if name not in gpu}
    if _FIRMWARE in known:
        return _FIRMWARE, known[_FIRMWARE]
    return max(known.items(), key=lambda item: item[1], default=None)


def heat_columns(rows: Sequence[CaseSummary]) -> list[Column]:
    """Mean clock and highest temperature, as far as some row has them."""

    def clock(row: CaseSummary) -> Cell:
        found = clock_of(row)
        return _cell(row, f"{found[1] / _MHZ:.0f}" if found else None, "no clock was read")

    def hottest(row: CaseSummary) -> Cell:
        values: Mapping[str, float] = row.temperatures_c
        text = f"{max(values.values()):.1f}" if values else None
        return _cell(row, text, "no temperature was read")

    columns = [Column("clock\nMHz", clock)] if any(map(clock_of, rows)) else []
    return columns + ([Column("hottest\nC", hottest)] if any(row.temperatures_c for row in rows) else [])


def _cell(row: CaseSummary, text: str | None, reason: str) -> Cell:
    if row.p50_ns is None:
        return Cell(UNKNOWN)
    return Cell(UNKNOWN, reason) if text is None else cells.greyed(Cell(text), row)

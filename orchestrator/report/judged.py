"""What the analysis says of a row, for CSV and Parquet: stability, speed modes, limit, notes, MLPerf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.domain import CaseSummary

# Of each speed mode: number=value, by speed.
MODES = {
    "mode_p50_ns": "p50_ns",
    "mode_low_ns": "low_ns",
    "mode_high_ns": "high_ns",
    "mode_launches": "launches",
    "mode_share": "share",
    "mode_share_low": "share_low",
    "mode_share_high": "share_high",
}
_SCATTER = {
    "within_launch_cv": "within_cv",
    "autocorrelation": "autocorrelation",
    "effective_iterations": "effective_iterations",
}
_ROOF = {
    "flop_per_s": "flop_per_s",
    "limit_flop_per_s": "limit_flop_per_s",
    "intensity_flop_per_byte": "intensity_flop_per_byte",
    "roof_share": "share",
    "bound": "bound",
}
_MLPERF = {f"mlperf_{name}": name for name in ("scenario", "verdict", "metric", "value_ns", "value_per_s")}
COLUMNS = ("p999_ns", "stability", *MODES, *_SCATTER, *_ROOF, "notes", *_MLPERF)
NUMBERS = {*MODES, *_SCATTER, *_ROOF} - {"bound"}


def fields(row: CaseSummary) -> dict[str, Any]:
    """By COLUMNS what is known; ``notes`` are codes."""
    found: dict[str, Any] = {
        "p999_ns": row.scatter and row.scatter.p999.value_ns,
        "stability": row.stability,
        "notes": " ".join(note.code for note in row.notes),
        **{name: _list(modes(row, name)) for name in MODES},
    }
    for names, part in ((_SCATTER, row.scatter), (_ROOF, row.roofline), (_MLPERF, row.mlperf)):
        found.update({name: part and getattr(part, field) for name, field in names.items()})
    return found


def modes(row: CaseSummary, name: str) -> list[tuple[str, float]]:
    """The known values of one of MODES by the number of the mode, from 1."""
    told = ((str(place), getattr(mode, MODES[name])) for place, mode in enumerate(row.modes, start=1))
    return [(place, value) for place, value in told if value is not None]


def _list(values: list[tuple[str, float]]) -> str:
    return " ".join(f"{place}={value:.10g}" for place, value in values)


def reasons(row: CaseSummary) -> Iterator[str]:
    """``column: why it is empty`` of those that say it."""
    if row.scatter and row.scatter.p999.reason:
        yield f"p999_ns: {row.scatter.p999.reason}"
    if row.roofline and row.roofline.reason:
        yield f"roof_share: {row.roofline.reason}"
    if row.mlperf and (row.mlperf.reason or row.mlperf.reasons):
        yield f"mlperf_verdict: {row.mlperf.reason or ', '.join(row.mlperf.reasons)}"

"""Lines about the launches beside the trials: a container's ceilings, and LoadGen's verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.domain import MlperfResult

_GIGA = 1e9


def ceiling_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each container could do at most, one line each; nothing of runs that did not ask."""
    lines = []
    for run in runs:
        for row in run.get("ceilings") or ():
            where = f" of {run['name']}" if len(runs) > 1 else ""
            place = f"{row['runtime']} on {row['accelerator']}, threads {row['threads']}"
            lines.append(f"ceilings{where}, {place}: {_ceiling(row)}")
    return lines


def _ceiling(row: Mapping[str, Any]) -> str:
    figures = [
        f"{row[name] / _GIGA:.3g} {unit} ({row[kernel]})"
        for name, kernel, unit in (
            ("flop_per_s", "flop_kernel", "GFLOP/s"),
            ("bandwidth_bytes_per_s", "bandwidth_kernel", "GB/s"),
        )
        if row[name] is not None
    ]
    return ", ".join(figures + ([f"unknown: {row['reason']}"] if row["reason"] else []))


def mlperf_lines(rows: Iterable[tuple[str, MlperfResult | None]]) -> list[str]:
    """LoadGen's verdict on each named row it drove, in its words, with our median of the same launch."""
    return [f"MLPerf {told.scenario}, {name}: {_verdict(told)}" for name, told in rows if told]


def _verdict(told: MlperfResult) -> str:
    if told.verdict is None:
        return f"no verdict: {told.reason}"
    if told.value_ns is not None:
        figure = f"{told.metric} {told.value_ns / 1e6:.4g} ms"
    else:
        figure = f"{told.metric} {told.value_per_s:.4g}"
    more = [f"LoadGen {(told.version or '?').split()[0]}"]
    if told.early_stopping_ns is not None:
        more.append(f"early stopping estimate {told.early_stopping_ns / 1e6:.4g} ms")
    if told.p50_ns is not None:
        more.append(f"our median {told.p50_ns / 1e6:.4g} ms")
    duration_ms = told.settings.get("min_duration_ms")
    if duration_ms is not None:
        more.append(f"at least {duration_ms / 1e3:g} s; MLPerf's rules ask for 600 s")
    return "; ".join([f"{told.verdict}, {figure} ({', '.join(more)})", *told.reasons])

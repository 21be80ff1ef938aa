"""One figure of a study as a reader sees it: as measured here, or as the paper prints it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.report.cells import UNDER_EMULATION, UNKNOWN, Cell, decimals, number
from orchestrator.study.candidates import share

TITLES = {
    "accuracy": "accuracy",
    "accuracy_drop": "drop\npoints",
    "bytes": "file\nMB",
    "deflated_bytes": "deflated\nMB",
    "parameters": "parameters",
    "macs": "MACs\nM",
    "unique_weights": "unique\nweights",
    "unique_weights_factor": "fewer\nunique, x",
    "latency": "ms",
    "peak_memory": "peak\nMB",
    "bytes_reduction": "file\nless, %",
    "latency_reduction": "less, %",
}
MISSING = {
    "accuracy": "no accuracy: this model has no labels here",
    "accuracy_drop": "no drop without the accuracy of this variant and of nq in the same runtime",
    "deflated_bytes": "the exporter recorded no deflated size",
    "unique_weights": "counted where weights are clustered",
    "unique_weights_factor": "counted where weights are clustered",
    "peak_memory": "no peak was recorded",
}


def measured(
    metric: str,
    row: Mapping[str, Any],
    case: Mapping[str, Any] | None,
    base: Mapping[str, Any] | None,
) -> Cell:
    """A figure of one variant; ``case`` in one runtime, ``base`` the same of nq. Unknown with its reason."""
    if row["failure"]:
        return Cell(UNKNOWN, row["failure"])
    if metric in ("parameters", "macs", "unique_weights", "unique_weights_factor"):
        value = row[metric]
        if value is None:
            return Cell(UNKNOWN, MISSING.get(metric, "the exporter recorded none"))
        return Cell(number(value / 1e6) if metric == "macs" else _count(value))
    if case is None:
        return Cell(UNKNOWN, "was not run in this runtime")
    if case["reason"]:
        return Cell(UNKNOWN, case["reason"])
    if metric == "latency":
        return latency(case)
    if metric == "latency_reduction" and (case["emulated"] or (base and base["emulated"])):
        return Cell(UNKNOWN, UNDER_EMULATION)
    value = _figure(metric, case, base)
    if value is None:
        return Cell(UNKNOWN, MISSING.get(metric, "not measured"))
    if metric == "accuracy":
        return Cell(f"{value:.1%}")
    if metric == "accuracy_drop":
        return Cell(f"{value:+.1f}")
    return Cell(f"{value:.0f}" if metric.endswith("_reduction") else number(value / 1e6))


def latency(case: Mapping[str, Any]) -> Cell:
    """``12.3 (12.1–12.6)`` ms: the mean of the launches' medians and its 95 % interval."""
    p50_ns = case["p50_ns"]
    if p50_ns is None:
        return Cell(UNKNOWN, "not measured")
    places = decimals(p50_ns / 1e6)
    if case["emulated"]:
        return Cell(f"{p50_ns / 1e6:.{places}f}", UNDER_EMULATION, grey=True)
    if case["low_ns"] is None:
        return Cell(f"{p50_ns / 1e6:.{places}f}", "no 95 % interval: it needs 3 launches of one speed")
    low, high = (f"{case[name] / 1e6:.{places}f}" for name in ("low_ns", "high_ns"))
    return Cell(f"{p50_ns / 1e6:.{places}f} ({low}–{high})")


def _figure(metric: str, case: Mapping[str, Any], base: Mapping[str, Any] | None) -> float | None:
    if metric == "accuracy":
        return share(case["accuracy"])
    if metric == "peak_memory":
        return _known(case["peak_bytes"])
    if metric in ("bytes", "deflated_bytes"):
        return _known(case[metric])
    if base is None:
        return None
    if metric == "accuracy_drop":
        now, before = share(case["accuracy"]), share(base["accuracy"])
        return None if now is None or before is None else 100 * (before - now)
    name = {"bytes_reduction": "bytes", "latency_reduction": "p50_ns"}[metric]
    return 100 * (1 - case[name] / base[name]) if case[name] and base[name] else None


def _known(value: int | None) -> float | None:
    return None if value is None else float(value)


def _count(value: float) -> str:
    return (
        f"{value:.4g}" if value < 1e4 else f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value / 1e3:.3g} k"
    )


def published(found: Iterable[Mapping[str, Any]]) -> Cell:
    """What the paper prints: ``93.5 %``, ``73–74 %``, ``< 1 points``; with its source as the note."""
    entries = list(found)
    if not entries:
        return Cell(UNKNOWN)
    sources = dict.fromkeys(entry["source"] for entry in entries)
    return Cell("; ".join(map(_printed, entries)), f"published: {', '.join(sources)}")


def _printed(entry: Mapping[str, Any]) -> str:
    relation = f"{entry['relation']} " if entry["relation"] else ""
    value = f"{entry['value']:g}" + (f"–{entry['upper']:g}" if entry["upper"] is not None else "")
    where = ", ".join(entry[name] for name in ("device", "runtime") if entry[name])
    return f"{relation}{value} {entry['unit']}".strip() + (f" ({where})" if where else "")

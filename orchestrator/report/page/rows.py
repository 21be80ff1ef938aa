"""One case as the page has it: figures in plain units, and for each that is unknown the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from orchestrator.domain import CaseEnergy, CaseSummary
from orchestrator.report import cells
from orchestrator.report.cells import plain
from orchestrator.report.joules import shown

FAILED = "failed"
Intern = Callable[[str], int]

# What a row has of a summary under the same name; the reason for None is that of the tables.
_FIGURES = (
    "p50_ns",
    "mean_ns",
    "between_launch_cv",
    "first_ns",
    "load_ns",
    "rate_hz",
    "artifact_bytes",
    "container_peak_bytes",
    "vm_hwm_bytes",
)
_SIZES = ("format", "deflated_bytes", "parameters", "nonzero_parameters", "macs", "accuracy_drop_points")
# Told by newer documents alone, as they are.
_PASSED_ON = ("stability", "modes", "scatter", "roofline", "mlperf")


def shown_sources(summaries: Iterable[CaseSummary]) -> set[str]:
    """The power sources that tables show, of all rows."""
    return set(shown(summaries))


def row(
    raw: Mapping[str, Any], summary: CaseSummary, name: str, sources: set[str], intern: Intern
) -> dict[str, Any]:
    """A case's row without its launches. ``raw``: as the document has it; ``intern``: a text's number.

    Texts that many rows share (findings, reasons) are numbers of the page's list of texts.
    """
    case = summary.case
    figures = {field: _short(getattr(summary, field)) for field in _FIGURES}
    unknown = {} if summary.p50_ns is None else _reasons(summary, figures)
    made: dict[str, Any] = {
        "id": case.id,
        "name": name,
        "device": case.device,
        "runtime": case.runtime_label,
        "framework": case.runtime,
        "model": case.model,
        "variant": case.variant,
        "batch": case.batch,
        "threads": case.threads,
        "accelerator": case.accelerator,
        "verdict": FAILED if summary.p50_ns is None else summary.verdict.value,
        "launches": summary.launches,
        "failed": summary.failed,
        "count": summary.count,
        **figures,
        "low_ns": _short(summary.interval.low_ns) if summary.interval else None,
        "high_ns": _short(summary.interval.high_ns) if summary.interval else None,
        "interval_method": intern(summary.interval.method) if summary.interval else None,
        "p90_ns": _short(summary.p90.value_ns),
        "p99_ns": _short(summary.p99.value_ns),
        "accuracy": [summary.accuracy.correct, summary.accuracy.total] if summary.accuracy else None,
        "parity": cells.parity_cell(summary).text if summary.parity else None,
        "weights": summary.weights,
        "engine": summary.engine,
        "emulated": summary.emulated,
        "failure": plain(summary.failure) if summary.failure else None,
        "launch_p50_ns": [_short(value) for value in summary.launch_p50_ns],
        "temperatures_c": dict(summary.temperatures_c),
        "clocks_hz": {domain: _short(value) for domain, value in summary.clocks_hz.items()},
        "energy": [_energy(one) for one in summary.energy if one.source in sources],
        "sustained": asdict(summary.sustained) if summary.sustained else None,
        "findings": [
            [one.code, one.severity.value, intern(plain(one.message)), intern(one.advice)]
            for one in summary.findings
        ],
        "notes": [
            {"code": note["code"], "text": plain(note["text"]), "evidence": note.get("evidence") or {}}
            for note in raw.get("notes") or ()
        ],
        "why": {field: intern(plain(said)) for field, said in unknown.items()},
        **{field: raw.get(field) for field in _PASSED_ON},
    }
    if summary.artifact:
        made.update({field: getattr(summary.artifact, field) for field in _SIZES})
    return {field: value for field, value in made.items() if value not in (None, [], {}, ())}


def _reasons(summary: CaseSummary, figures: Mapping[str, Any]) -> dict[str, str]:
    said = {field: cells.reason(summary, field) for field, value in figures.items() if value is None}
    for field, value in (("low_ns", summary.interval), ("accuracy", summary.accuracy)):
        if value is None:
            said[field] = cells.reason(summary, "interval" if field == "low_ns" else field)
    for field, quantile in (("p90_ns", summary.p90), ("p99_ns", summary.p99)):
        if quantile.value_ns is None:
            said[field] = quantile.reason or "no reason recorded"
    if summary.parity is None:
        said["parity"] = cells.reason(summary, "parity")
    return said


def _energy(figure: CaseEnergy) -> dict[str, Any]:
    told = {
        "source": figure.source,
        "scope": figure.scope,
        "method": figure.method,
        "launches": figure.launches,
        "gross_j": _short(figure.gross_per_inference_j),
        "gross_low_j": _short(figure.gross_low_j),
        "gross_high_j": _short(figure.gross_high_j),
        "net_j": _short(figure.net_per_inference_j),
        "net_low_j": _short(figure.net_low_j),
        "net_high_j": _short(figure.net_high_j),
        "mean_w": _short(figure.mean_w),
        "idle_w": _short(figure.idle_w),
        "calibrated": figure.calibrated,
        "reason": figure.reason,
        "net_reason": figure.net_reason,
    }
    return {field: value for field, value in told.items() if value is not None}


def _short(value: float | None) -> float | None:
    """Six significant digits: two more than any cell shows."""
    if value is None:
        return None
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded

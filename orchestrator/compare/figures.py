"""The figures of one case: from its launches where they are at hand, else from its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.compare.metrics import ENERGY, P50, Figure, of_launches
from orchestrator.domain import CaseEnergy, CaseSummary, TrialRecord
from orchestrator.statistics.percentiles import percentile_floor
from orchestrator.statistics.student import LEAST_LAUNCHES, student_t

_OF_A_ROW = "a summary tells no single launches of it: give the results folder"


def from_launches(
    row: CaseSummary, records: Sequence[TrialRecord], quantiles: Mapping[str, Sequence[float | None]]
) -> dict[str, Figure]:
    """Of the good launches' records; ``quantiles`` (ns): p90 and p99 of each launch's window."""
    found = {
        P50: of_launches(row.launch_p50_ns, "no launch succeeded"),
        "p90": _percentile(quantiles["p90"], 0.9),
        "p99": _percentile(quantiles["p99"], 0.99),
        "mean": of_launches(
            [record.latency.mean_ns for record in records if record.latency], "no launch succeeded"
        ),
        "first": of_launches([record.first_ns for record in records], "no first inference was sent"),
        "load": of_launches([record.phases_ns.get("load") for record in records], "no load phase was seen"),
        "peak_memory": of_launches(_peaks(records, "container_peak_bytes"), _no_peak(records)),
        "process_memory": of_launches(_peaks(records, "vm_hwm_bytes"), "no VmHWM was recorded"),
        **_properties(row),
    }
    joules: dict[str, list[float | None]] = {}
    for record in records:
        for one in record.energy:
            joules.setdefault(_scope(one), []).append(one.gross_per_inference_j)
    for scope, values in joules.items():
        figure = of_launches(values, "no launch has a figure")
        found[f"{ENERGY}:{scope}"] = Figure(figure.value, figure.reason, figure.launches, scope=scope)
    return found


def from_summary(row: CaseSummary) -> dict[str, Figure]:
    """Of a row alone: medians of launches are in it, of all else only what they gave together."""
    known = {
        "p90": row.p90.value_ns,
        "p99": row.p99.value_ns,
        "mean": row.mean_ns,
        "first": row.first_ns,
        "load": row.load_ns,
        "peak_memory": row.container_peak_bytes,
        "process_memory": row.vm_hwm_bytes,
    }
    return {
        P50: of_launches(row.launch_p50_ns, "no launch succeeded"),
        **{name: _alone(value) for name, value in known.items()},
        **_properties(row),
        **{f"{ENERGY}:{_scope(one)}": _joules(one) for one in row.energy},
    }


def _alone(value: float | None) -> Figure:
    return Figure(None, "not measured") if value is None else Figure(float(value), _OF_A_ROW)


def _properties(row: CaseSummary) -> dict[str, Figure]:
    size, score = row.artifact_bytes, row.accuracy
    weight, right = Figure(None, "its size was not recorded"), Figure(None, "no accuracy is known")
    if size is not None:
        weight = Figure(float(size))
    if score is not None:
        right = Figure(100 * score.correct / score.total, score=(score.correct, score.total))
    return {"bytes": weight, "accuracy": right}


def _percentile(values: Sequence[float | None], q: float) -> Figure:
    """One launch below the floor leaves the others: fewer launches, not another quantile."""
    return of_launches(values, f"n too small: {percentile_floor(q)} iterations a launch are needed")


def _peaks(records: Sequence[TrialRecord], name: str) -> list[float | None]:
    return [getattr(record.memory, name) for record in records if record.memory]


def _no_peak(records: Sequence[TrialRecord]) -> str:
    reasons = (record.memory.reasons.get("container_peak_bytes") for record in records if record.memory)
    return next((reason for reason in reasons if reason), "no peak was recorded")


def _scope(one: Any) -> str:
    """What makes two joules the same thing: source, scope and method."""
    return f"{one.source}, {one.scope}, {one.method}"


def _joules(one: CaseEnergy) -> Figure:
    low, high = one.gross_low_j, one.gross_high_j
    if one.gross_per_inference_j is None or low is None or high is None or one.launches < LEAST_LAUNCHES:
        reason = one.reason or one.interval_reason or _OF_A_ROW
        return Figure(one.gross_per_inference_j, reason, scope=_scope(one))
    error = (high - low) / 2 / student_t(one.launches - 1)
    return Figure(one.gross_per_inference_j, error=error, count=one.launches, scope=_scope(one))

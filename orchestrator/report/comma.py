"""Comma-separated values: one line per case in raw units, for programs and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.domain import Case, CaseSummary, Skip, Sustained
from orchestrator.report import cells, judged
from orchestrator.report.table import Row, content

# Each holds source=value of every power source; different scopes are never comparable.
ENERGY = (
    "energy_scope",
    "energy_method",
    "gross_per_inference_j",
    "gross_low_j",
    "gross_high_j",
    "net_per_inference_j",
    "net_low_j",
    "net_high_j",
    "mean_w",
    "idle_w",
    "energy_launches",
    "energy_rate_hz",
    "energy_coverage",
    "energy_uncertainty",
    "energy_calibrated",
)
# Of one long window: numbers, and lists of number=value a minute.
SUSTAINED = (
    "minute_ratio",
    "first_minute",
    "last_minute",
    "minute_p50_ns",
    "minute_clock_hz",
    "minute_mean_c",
    "minute_max_c",
    "minute_mean_w",
    "clock_source",
    "temperature_source",
)
# Of the exported file and its network.
SIZES = ("deflated_bytes", "parameters", "nonzero_parameters", "macs", "accuracy_drop_points")
COLUMNS = (
    "run",
    "device",
    "engine",
    "emulated",
    "model",
    "variant",
    "runtime",
    "accelerator",
    "options",
    "batch",
    "threads",
    "weights",
    "status",
    "verdict",
    "findings",
    "launches",
    "failed_launches",
    "iterations",
    "p50_ns",
    "p50_low_ns",
    "p50_high_ns",
    "interval_method",
    "p90_ns",
    "p99_ns",
    "mean_ns",
    "between_launch_cv",
    "first_ns",
    "load_ns",
    "parts_p50_ns",
    "rate_hz",
    *ENERGY,
    *SUSTAINED,
    "artifact_bytes",
    *SIZES,
    "container_peak_bytes",
    "load_container_peak_bytes",
    "inference_container_peak_bytes",
    "inference_container_peak_method",
    "load_vm_hwm_bytes",
    "system_drop_bytes",
    "gpu_bytes",
    "temperatures_c",
    "clocks_hz",
    "vm_hwm_bytes",
    "inference_vm_hwm_bytes",
    "accuracy_correct",
    "accuracy_total",
    "parity_top1_equal",
    "parity_total",
    "parity_max_abs_difference",
    *judged.COLUMNS,
    "reasons",
)
_WITH_REASON = (
    "between_launch_cv",
    "first_ns",
    "load_ns",
    "rate_hz",
    "artifact_bytes",
    "container_peak_bytes",
    "load_container_peak_bytes",
    "inference_container_peak_bytes",
    "vm_hwm_bytes",
    "inference_vm_hwm_bytes",
    "accuracy",
    "parity",
    "interval",
)


def render(document: Mapping[str, Any]) -> str:
    """A summary document or merged comparison as CSV (RFC 4180) with a header line.

    An unknown value is an empty field, and ``reasons`` says why: ``p99_ns: n too small: 500 of 662; ...``.
    It also says that an emulated row's speeds and memory mean nothing. ``status`` is measured, failed or
    skipped. Units are suffixes of the column names.
    """
    found = content(document)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(fields(row) for row in found.rows)
    writer.writerows(skip_fields(skip) for skip in found.skips)
    return stream.getvalue()


def skip_fields(skip: Skip) -> dict[str, Any]:
    """The line of a case that was not measured; most columns are missing."""
    return {**_case(skip.case), "status": "skipped", "reasons": cells.plain(skip.reason)}


def _case(case: Case) -> dict[str, Any]:
    found = {
        name: getattr(case, name)
        for name in ("device", "model", "variant", "runtime", "accelerator", "batch", "threads")
    }
    return {**found, "options": " ".join(f"{name}={value}" for name, value in sorted(case.options))}


def fields(row: Row) -> dict[str, Any]:
    """The line of a case by COLUMNS, all of them; numbers as they are, ``""`` where unknown."""
    summary = row.summary
    interval, accuracy, parity = summary.interval, summary.accuracy, summary.parity
    found = {
        **_case(summary.case),
        **{name: getattr(summary, name) for name in COLUMNS if hasattr(summary, name)},
        **judged.fields(summary),
        "run": row.run,
        "parts_p50_ns": " ".join(f"{part.name}={part.p50_ns:.0f}" for part in summary.parts),
        **{name: _energy(summary, name.removeprefix("energy_")) for name in ENERGY},
        **_sustained(summary.sustained),
        **({name: getattr(summary.artifact, name) for name in SIZES} if summary.artifact else {}),
        "temperatures_c": _pairs(summary.temperatures_c),
        "clocks_hz": _pairs(summary.clocks_hz),
        "emulated": str(summary.emulated).lower(),
        "status": "failed" if summary.p50_ns is None else "measured",
        "verdict": summary.verdict.value,
        "findings": " ".join(finding.code for finding in summary.findings),
        "failed_launches": summary.failed,
        "iterations": summary.count,
        "p50_low_ns": interval and interval.low_ns,
        "p50_high_ns": interval and interval.high_ns,
        "interval_method": interval and interval.method,
        "p90_ns": summary.p90.value_ns,
        "p99_ns": summary.p99.value_ns,
        "accuracy_correct": accuracy and accuracy.correct,
        "accuracy_total": accuracy and accuracy.total,
        "parity_top1_equal": parity and parity.top1_equal,
        "parity_total": parity and parity.total,
        "parity_max_abs_difference": parity and parity.max_abs_difference,
        "reasons": _reasons(summary),
    }
    return {name: "" if value is None else value for name, value in found.items()}


def _sustained(curve: Sustained | None) -> dict[str, Any]:
    if curve is None:
        return {}
    lists = {
        f"minute_{name}": _list((one.minute, getattr(one, name)) for one in curve.minutes)
        for name in ("p50_ns", "clock_hz", "mean_c", "max_c")
    }
    watts = (f"{one.source}: {_list(enumerate(one.mean_w, start=1))}" for one in curve.power)
    return {
        "minute_ratio": curve.ratio,
        "first_minute": curve.first_minute,
        "last_minute": curve.last_minute,
        **lists,
        "minute_mean_w": "; ".join(watts),
        "clock_source": curve.clock_source,
        "temperature_source": curve.temperature_source,
    }


def _list(values: Iterable[tuple[int, float | None]]) -> str:
    return " ".join(f"{number}={value:.10g}" for number, value in values if value is not None)


def _pairs(values: Mapping[str, float]) -> str:
    return " ".join(f"{source}={value:.6g}" for source, value in values.items())


def _energy(summary: CaseSummary, field: str) -> str:
    values = [(one.source, getattr(one, field)) for one in summary.energy]
    return " ".join(f"{source}={_plain(value)}" for source, value in values if value is not None)


def _plain(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, (str, bool)) else format(value, ".6g")


def _reasons(summary: CaseSummary) -> str:
    if summary.p50_ns is None:
        return cells.plain(summary.failure or "no launch succeeded")
    found = [f"speeds and memory: {cells.UNDER_EMULATION}"] if summary.emulated else []
    found += [
        f"{name}_ns: {quantile.reason}"
        for name, quantile in (("p90", summary.p90), ("p99", summary.p99))
        if quantile.value_ns is None
    ]
    found += judged.reasons(summary)
    found += [
        f"{name}: {cells.reason(summary, name)}" for name in _WITH_REASON if getattr(summary, name) is None
    ]
    found += [
        f"{one.source}: {one.reason or one.net_reason}"
        for one in summary.energy
        if one.reason or one.net_reason
    ]
    if summary.artifact and summary.artifact.accuracy_drop_reason:
        found.append(f"accuracy_drop_points: {summary.artifact.accuracy_drop_reason}")
    if summary.sustained:
        told = {
            "minute_ratio": summary.sustained.reason,
            "clock_source": summary.sustained.clock_reason,
            "temperature_source": summary.sustained.temperature_reason,
            "minutes": summary.sustained.cut,
        }
        found += [f"{name}: {reason}" for name, reason in told.items() if reason]
    return cells.plain("; ".join(found))

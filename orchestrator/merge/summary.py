"""All launches of a case become one row."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from orchestrator.domain import (
    Case,
    CaseSummary,
    Execution,
    Finding,
    Interval,
    Parity,
    Part,
    Score,
    Size,
    Status,
    Sustained,
    TrialRecord,
    Verdict,
)
from orchestrator.energy import case_energy
from orchestrator.statistics.bootstrap import launch_interval
from orchestrator.statistics.mode_figures import mode_figures
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.percentiles import pooled_quantiles
from orchestrator.statistics.quantiles import median, window_median
from orchestrator.statistics.scatter import scatter
from orchestrator.statistics.stability import between_launch_cv, spread, stability


@dataclass(frozen=True)
class Facts:
    """What is known of a case beside its trials."""

    artifact_bytes: int | None = None
    weights: str | None = None  # "pretrained", "trained", "random(0)", "yours"
    emulated: bool = False
    sustained: Sustained | None = None
    size: Size | None = None
    execution: Execution | None = None


def summarise(
    case: Case,
    records: Sequence[TrialRecord],
    windows: Sequence[Sequence[int]],
    findings: Sequence[Finding],
    verdict: Verdict,
    facts: Facts,
) -> CaseSummary:
    """The row of a case.

    ``records`` are all its trials in launch order; ``windows`` the raw latencies (ns) of those with
    status ok, in the same order. Raises ValueError when these differ in number or a window is empty.
    """
    ok = [record for record in records if record.status is Status.OK]
    if len(ok) != len(windows) or not all(len(window) for window in windows):
        raise ValueError(f"{case.id}: {len(ok)} good launches, but {len(windows)} windows")
    common = CaseSummary(
        case,
        verdict,
        tuple(findings),
        launches=len(ok),
        failed=len(records) - len(ok),
        count=sum(len(window) for window in windows),
        artifact_bytes=facts.artifact_bytes,
        weights=facts.weights,
        engine=records[0].engine if records else None,
        emulated=facts.emulated,
        sustained=facts.sustained,
        artifact=facts.size,
        execution=facts.execution,
    )
    return _measured(common, ok, windows) if ok else _failed(common, records)


def _failed(common: CaseSummary, records: Sequence[TrialRecord]) -> CaseSummary:
    if not records:
        return replace(common, failure="no launch was made")
    first = records[0]
    reason = f": {first.reason}" if first.reason else ""
    return replace(common, failure=f"{first.status.value}{reason}")


def _measured(
    common: CaseSummary, ok: Sequence[TrialRecord], windows: Sequence[Sequence[int]]
) -> CaseSummary:
    medians = [window_median(window) for window in windows]
    mean_ns = math.fsum(math.fsum(window) / len(window) for window in windows) / len(windows)
    groups, interval = speed_modes(medians), None
    if len(groups) == 1:  # an interval around a mean of modes would be a false one
        interval = launch_interval(windows, _seed(common.case))
    p90, p99, p999 = pooled_quantiles(windows, (0.9, 0.99, 0.999))
    spreads = [spread(record.latency) for record in ok if record.latency]
    firsts = [record.first_ns for record in ok if record.first_ns is not None]
    loads = [record.phases_ns["load"] for record in ok if "load" in record.phases_ns]
    return replace(
        common,
        p50_ns=math.fsum(medians) / len(medians),
        interval=interval if isinstance(interval, Interval) else None,
        p90=p90,
        p99=p99,
        mean_ns=mean_ns,
        between_launch_cv=between_launch_cv(medians),
        first_ns=median(firsts) if firsts else None,
        load_ns=median(loads) if loads else None,
        rate_hz=common.case.batch * 1e9 / mean_ns if mean_ns else None,
        **_memory(ok),
        # Under emulation they are those of another machine than the device.
        temperatures_c={} if common.emulated else _seen(ok, "c", "max", max),
        clocks_hz={} if common.emulated else _seen(ok, "hz", "mean", fmean),
        accuracy=_accuracy(ok, common.weights),
        parity=_parity(ok),
        launch_p50_ns=tuple(medians),
        parts=_parts(ok),
        energy=case_energy(ok),
        # An emulator's latencies say nothing about the board.
        stability=None if common.emulated else stability(medians, len(groups), spreads),
        modes=mode_figures(windows, medians, groups, _seed(common.case)),
        scatter=scatter(windows, medians, p999),
    )


def _memory(ok: Sequence[TrialRecord]) -> dict[str, Any]:
    """Each peak's highest over launches."""
    peaks: dict[str, Any] = {}
    for name in (
        "container_peak_bytes",
        "load_container_peak_bytes",
        "inference_container_peak_bytes",
        "vm_hwm_bytes",
        "load_vm_hwm_bytes",
        "inference_vm_hwm_bytes",
        "system_drop_bytes",
        "gpu_bytes",
    ):
        values = (getattr(record.memory, name) for record in ok if record.memory)
        peaks[name] = max((value for value in values if value is not None), default=None)
    highest = peaks["inference_container_peak_bytes"]
    methods = (
        record.memory.inference_container_peak_method
        for record in ok
        if record.memory and record.memory.inference_container_peak_bytes == highest
    )
    return {**peaks, "inference_container_peak_method": next(methods, None) if highest else None}


def _seen(
    ok: Sequence[TrialRecord], unit: str, figure: str, joined: Callable[[list[float]], float]
) -> dict[str, float]:
    """Each sampled source of one unit: a figure of its windows, joined over launches."""
    found: dict[str, list[float]] = {}
    for record in ok:
        for source, told in record.telemetry.items():
            if told.get("unit") == unit and told.get("method") == "sampled" and told[figure] is not None:
                found.setdefault(source, []).append(told[figure])
    return {source: joined(values) for source, values in sorted(found.items())}


def _parts(ok: Sequence[TrialRecord]) -> tuple[Part, ...]:
    by_name: dict[str, list[Part]] = {}
    for record in ok:
        for part in record.parts:
            by_name.setdefault(part.name, []).append(part)
    return tuple(
        Part(name, sum(part.count for part in parts), median([part.p50_ns for part in parts]))
        for name, parts in by_name.items()
    )


def _seed(case: Case) -> int:
    """The same case has the same interval whenever it is computed again."""
    return int.from_bytes(hashlib.sha256(case.id.encode()).digest()[:8], "big")


def _accuracy(ok: Sequence[TrialRecord], weights: str | None) -> Score | None:
    """The lowest over launches; None for random weights, whose accuracy means nothing."""
    scores = [record.accuracy for record in ok if record.accuracy and record.accuracy.total]
    if not scores or (weights or "").startswith("random"):
        return None
    return min(scores, key=lambda score: score.correct / score.total)


def _parity(ok: Sequence[TrialRecord]) -> Parity | None:
    """The worst over launches: fewest equal, then missing values, then the largest difference."""

    def rank(parity: Parity) -> tuple[float, float]:
        difference = parity.max_abs_difference
        equal = parity.top1_equal / parity.total if parity.total else 0.0
        return -equal, math.inf if difference is None else difference

    return max((record.parity for record in ok if record.parity), key=rank, default=None)

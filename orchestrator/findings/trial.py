"""What one launch's record and raw values show."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain import Finding, Latency, Parity, Severity, Status, TrialRecord
from orchestrator.findings.codes import Code
from orchestrator.statistics import settling, stability
from orchestrator.statistics.noise import worth

# Share of a launch's median latency that the timed loop itself may cost (its null inference).
HARNESS_LIMIT = 0.005
# From here on the bias is larger than a typical difference between runtimes.
HARNESS_SUSPECT = 0.05
# A beginning that moves the median by less is told, but makes no doubt.
SHIFT_LIMIT = 0.01
# The share of independent iterations from which on it is said that they are not.
WORTH_LIMIT = 0.1


def trial_findings(
    record: TrialRecord, values: Sequence[int], fallback: str | None = None, sustained: bool = False
) -> tuple[Finding, ...]:
    """Findings of one launch.

    ``values`` are the raw latencies of its window in ns, in time order; empty where there was none.
    ``fallback`` says why the trial did not run where it was asked to, or is None.
    ``sustained``: one long window was asked for, whose course is the result and not its spread.
    """
    found = []
    if fallback:
        found.append(Code.PLACEMENT_FALLBACK.finding(fallback))
    if record.status is not Status.OK:
        return tuple(found)  # the failure is the result; what is missing follows from it
    found += _placement(record)
    if record.steady is False:
        found.append(Code.NOT_STEADY.finding("warm-up ended at its cap before the latencies were steady"))
    if record.latency:
        found += _window(record.latency, values, sustained)
        found += _harness(record.harness_p50_ns, record.latency)
    found += _parity(record)
    if record.cooldown and record.cooldown["hot"]:
        found.append(Code.HOT_START.finding(record.cooldown["hot"]))
    found += _observation(record)
    return tuple(found)


def _placement(record: TrialRecord) -> list[Finding]:
    """A delegate that took one node of many would lend its name to a figure of the kernels it left."""
    executed = (record.placement or {}).get("executed") or {}
    parts = {name: nodes for name, nodes in executed.items() if nodes != 0}
    if len(parts) < 2:
        return []
    if None in parts.values():
        told = (f"{'unknown' if nodes is None else nodes} on {name}" for name, nodes in parts.items())
        return [Code.PLACEMENT_MIXED.finding(f"nodes: {', '.join(told)}")]
    (first, nodes), *others = sorted(parts.items(), key=lambda part: -part[1])
    told = (f", {count} on {name}" for name, count in others)
    return [Code.PLACEMENT_MIXED.finding(f"{nodes} of {sum(parts.values())} nodes on {first}{''.join(told)}")]


def _window(latency: Latency, values: Sequence[int], sustained: bool) -> list[Finding]:
    found = []
    spread = stability.spread_by_minute(values) if sustained and values else stability.spread(latency)
    within = " within a minute" if sustained else ""
    low, high = stability.extremes(latency)
    if spread >= stability.SPREAD_LIMIT:
        found.append(Code.UNSTABLE.finding(f"standard deviation {spread:.0%} of the mean{within}"))
    elif max(-low, high) >= stability.EXTREME_LIMIT:
        # One slow iteration in thousands does not move the median: said, but no doubt about it.
        extreme = f"maximum {high:.0%} above" if high >= -low else f"minimum {-low:.0%} below"
        found.append(Code.UNSTABLE.finding(f"{extreme} the mean", Severity.NOTE))
    outliers = stability.outliers(values) if values else 0
    if outliers:
        found.append(Code.OUTLIERS.finding(f"{outliers} of {len(values)} iterations beyond 10 deviations"))
    return found + _course(values)


def _course(values: Sequence[int]) -> list[Finding]:
    """What latencies do in the course of the window: the first of these that explains the others."""
    found = []
    head = settling.head(values)
    if head:
        word = "slower" if head.change > 0 else "faster"
        message = (
            f"the first {head.iterations} of {len(values)} iterations were {abs(head.change):.0%} {word} "
            f"than the rest and move the median by {abs(head.shift):.1%}"
        )
        code = Code.WARMUP_IN_WINDOW if head.change > 0 else Code.TREND
        moved = abs(head.shift) >= SHIFT_LIMIT
        found.append(code.finding(message, None if moved else Severity.NOTE))
    change = stability.trend(values[head.iterations :] if head else values)
    if change is not None:
        word = "slower" if change > 0 else "faster"
        start = "after that" if head else "at its start"
        found.append(Code.TREND.finding(f"{abs(change):.0%} {word} at the window's end than {start}"))
    counts = worth(values) if values else 0.0
    if not found and len(values) >= stability.LEAST_TREND_VALUES and counts <= WORTH_LIMIT * len(values):
        # Batches do not see what outlasts them; scatter.effective_iterations, which does, counts fewer.
        message = f"{len(values)} iterations tell no more than about {counts:.0f} independent ones"
        found.append(Code.AUTOCORRELATED.finding(f"neighbouring iterations are alike: {message}"))
    return found


def _harness(harness_p50_ns: float | None, latency: Latency) -> list[Finding]:
    if harness_p50_ns is None or harness_p50_ns <= HARNESS_LIMIT * latency.p50_ns:
        return []
    share = harness_p50_ns / latency.p50_ns if latency.p50_ns else 1.0
    severity = Severity.SUSPECT if share >= HARNESS_SUSPECT else None
    message = f"the timed loop costs {harness_p50_ns:.0f} ns, {share:.1%} of the latency"
    return [Code.HARNESS_COST.finding(message, severity)]


def _parity(record: TrialRecord) -> list[Finding]:
    parity = record.parity
    if parity is None:
        return []
    if parity.max_abs_difference is None:
        message = "an output is missing or not a number"
        return [Code.PARITY_MISMATCH.finding(message, Severity.INVALID)]
    if parity.least_equal is not None and parity.top1_equal >= parity.least_equal:
        return []
    if parity.top1_equal < parity.total:
        return [
            Code.PARITY_MISMATCH.finding(
                f"top-1 differs from PyTorch on {parity.total - parity.top1_equal} of {parity.total} inputs, "
                f"by up to {parity.max_abs_difference:.2g}{_allowed(parity)}"
            )
        ]
    if parity.tolerance is not None and parity.max_abs_difference > parity.tolerance:
        message = f"outputs differ from PyTorch's by up to {parity.max_abs_difference:.2g}, "
        return [Code.PARITY_MISMATCH.finding(f"{message}more than the {parity.tolerance:.2g} of rounding")]
    return []


def _allowed(parity: Parity) -> str:
    if parity.least_equal is None:
        return ""
    return f"; its exporter's own agreement allows {parity.total - parity.least_equal}"


def _observation(record: TrialRecord) -> list[Finding]:
    found = []
    program = record.telemetry.get("telemetry", {})
    reason = program.get("reason")
    if reason and program.get("interval_ns") is None:
        found.append(Code.TELEMETRY_MISSING.finding(str(reason)))
    elif reason:
        found.append(Code.CLOCK_NOT_ALIGNED.finding(str(reason)))
    memory = record.memory
    if memory is None:
        found.append(Code.MEMORY_UNAVAILABLE.finding("no peak was read"))
    elif memory.container_peak_bytes is None:
        reason = memory.reasons.get("container_peak_bytes", "no reason given")
        own = memory.vm_hwm_bytes
        beside = f"; the process itself peaked at {own / 2**20:.1f} MiB" if own else ""
        found.append(Code.MEMORY_UNAVAILABLE.finding(f"container peak: {reason}{beside}"))
    return found

"""What all launches of a case show together, and the circumstances they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain import Finding, Score, Severity, Status, TrialRecord
from orchestrator.findings.codes import Code
from orchestrator.statistics import stability
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.percentiles import percentile_floor

# MLPerf's closed division: the least share of the fp32 reference's accuracy.
ACCURACY_LIMIT = 0.99
# One launch in several may be disturbed; it is told, but two make the case suspect.
_ONCE_IS_A_NOTE = {code.code for code in (Code.UNSTABLE, Code.TREND, Code.NOT_STEADY, Code.WARMUP_IN_WINDOW)}
_OF_LATENCIES = {
    *_ONCE_IS_A_NOTE,
    *(code.code for code in (Code.OUTLIERS, Code.AUTOCORRELATED, Code.HARNESS_COST, Code.QUICK_RUN)),
}
_RANK = {Severity.NOTE: 0, Severity.SUSPECT: 1, Severity.INVALID: 2}


@dataclass(frozen=True)
class Circumstances:
    """What is known of a case beside its launches; reasons are None where there is nothing to say."""

    quick: bool = False
    least_launches: int = 5
    weights: str | None = None  # "trained", "pretrained", "random(0)", "yours"
    weights_reason: str | None = None  # why they are random
    reference: Score | None = None  # the fp32 PyTorch source on the same labelled inputs
    calibration_synthetic: bool = False  # ranges of activations were found on made-up inputs
    training_cut: str | None = None  # which training a budget ended early
    emulated: bool = False
    forced_device: str | None = None  # how the machine differs from the named device
    cgroup_memory_disabled: bool = False
    no_power_source: str | None = None  # why there is no power figure
    energy_missing: str | None = None  # why a source gave none, where joules were asked for
    power_disagrees: str | None = None  # how another reader of the same sensor differs from ours
    observer_effect: str | None = None  # how far watching shifts latencies, where that is too far
    sustained: bool = False  # one launch with one long window was asked for
    window_cut: str | None = None  # why that window is shorter
    tuned: str | None = None  # what of the machine was set for the trials, as it is asked for


def case_findings(records: Sequence[TrialRecord], circumstances: Circumstances) -> tuple[Finding, ...]:
    """Findings of one case from all its records (with their own findings), one per code.

    ``records`` are in launch order and hold at least one.
    """
    ok = [record for record in records if record.status is Status.OK and record.latency]
    found = _failures(records, len(ok))
    found += _shared(records, circumstances)
    if ok:
        found += [] if circumstances.emulated else _launches(ok, circumstances)
        found += _accuracy(ok, circumstances)
        found += _of_trials(records)
    if circumstances.emulated:  # what an emulator's latencies do says nothing about the board
        found = [finding for finding in found if finding.code not in _OF_LATENCIES]
    return tuple(sorted(_one_per_code(found), key=lambda finding: -_RANK[finding.severity]))


def _failures(records: Sequence[TrialRecord], ok: int) -> list[Finding]:
    failed = [record for record in records if record.status is not Status.OK]
    fallbacks = [f for record in failed for f in record.findings if f.code == Code.PLACEMENT_FALLBACK.code]
    if not failed:
        return []
    message = f"{len(failed)} of {len(records)} launches failed, first: {failed[0].status.value}"
    if failed[0].reason:
        message += f", {failed[0].reason}"
    severity = None if ok else Severity.INVALID
    return [*fallbacks[:1], Code.FAILED_LAUNCHES.finding(message, severity)]


def _shared(records: Sequence[TrialRecord], given: Circumstances) -> list[Finding]:
    found = []
    if given.emulated:
        found.append(Code.EMULATED.finding("ran under emulation of another processor"))
    if given.forced_device:
        found.append(Code.FORCED_DEVICE.finding(given.forced_device))
    if given.quick:
        found.append(Code.QUICK_RUN.finding("a first look: short windows and few launches"))
    if given.weights and given.weights.startswith("random"):
        because = f" because {given.weights_reason}" if given.weights_reason else ""
        found.append(Code.WEIGHTS_RANDOM.finding(f"weights: {given.weights}{because}"))
    if given.calibration_synthetic:
        found.append(Code.CALIBRATION_SYNTHETIC.finding("calibrated on made-up inputs: there are no others"))
    if given.training_cut:
        found.append(Code.TRAINING_CUT.finding(given.training_cut))
    if any(record.engine == "process" for record in records):
        found.append(Code.PROCESS_ENGINE.finding("engine: process, a virtual environment without isolation"))
    if given.tuned:
        found.append(Code.TUNED.finding(f"set for the trials: {given.tuned}"))
    if given.cgroup_memory_disabled:
        found.append(Code.CGROUP_MEMORY_DISABLED.finding("the kernel's memory cgroup is off"))
    if given.power_disagrees:
        found.append(Code.POWER_DISAGREES.finding(given.power_disagrees))
    if given.window_cut:
        found.append(Code.WINDOW_CUT.finding(given.window_cut))
    if given.observer_effect:
        found.append(Code.OBSERVER_EFFECT.finding(given.observer_effect))
    if given.no_power_source:
        found.append(Code.NO_POWER_SOURCE.finding(given.no_power_source))
    elif given.energy_missing:
        found.append(Code.ENERGY_UNAVAILABLE.finding(given.energy_missing))
    return found


def _launches(ok: Sequence[TrialRecord], given: Circumstances) -> list[Finding]:
    found = []
    latencies = [record.latency for record in ok if record.latency]
    medians = [latency.p50_ns for latency in latencies]
    if given.sustained:  # one launch is what was asked for, and its minutes compare with each other
        message = "one launch: how far the next one's absolute latency may lie from it is unknown"
        advice = "Compare the minutes with each other; for an absolute latency bench without SUSTAINED."
        found.append(Finding(Code.TOO_FEW_LAUNCHES.code, Severity.NOTE, message, advice))
    elif len(ok) < given.least_launches:
        message = f"{len(ok)} good launches, at least {given.least_launches} are needed"
        found.append(Code.TOO_FEW_LAUNCHES.finding(message))
    modes = speed_modes(medians)
    cv = stability.between_launch_cv(medians)
    if len(modes) > 1:
        named = ", ".join(_mode(mode, len(ok)) for mode in modes)
        found.append(Code.MULTIMODAL.finding(f"{len(modes)} speed modes: {named}"))
    excess = stability.slow_first(medians) if ok[0].launch == 0 else None
    if len(modes) == 1 and cv is not None and cv >= stability.SPREAD_LIMIT:
        found.append(Code.UNSTABLE.finding(f"launches differ by {cv:.0%} (CV of their medians)"))
    elif len(modes) == 1 and excess is None:
        found += _apart(ok, medians)
    if excess is not None:
        message = f"the first launch was {excess:.0%} slower than the others"
        found.append(Code.SLOW_FIRST_LAUNCH.finding(message))
    count, floor = sum(latency.count for latency in latencies), percentile_floor(0.99)
    if count < floor:
        found.append(Code.PERCENTILE_FLOOR.finding(f"p99 needs {floor} iterations over all launches"))
    return found


def _mode(mode: Sequence[float], launches: int) -> str:
    """``21.7 ms (3 of 10 launches, 30 %)``."""
    share = f"{len(mode) / launches:.0%}".replace("%", " %")
    return f"{sum(mode) / len(mode) / 1e6:.4g} ms ({len(mode)} of {launches} launches, {share})"


def _apart(ok: Sequence[TrialRecord], medians: Sequence[float]) -> list[Finding]:
    apart = stability.launch_apart(medians)
    if apart is None:
        return []
    position, excess = apart
    word = "slower" if excess > 0 else "faster"
    number = ok[position].launch + 1
    return [Code.UNSTABLE.finding(f"launch {number} was {abs(excess):.0%} {word} than the others")]


def _accuracy(ok: Sequence[TrialRecord], given: Circumstances) -> list[Finding]:
    scores = [record.accuracy for record in ok if record.accuracy and record.accuracy.total]
    if not scores or given.reference is None or (given.weights or "").startswith("random"):
        return []
    worst = min(scores, key=lambda score: score.correct / score.total)
    share, wanted = worst.correct / worst.total, given.reference.correct / given.reference.total
    if share >= ACCURACY_LIMIT * wanted:
        return []
    return [Code.ACCURACY_BELOW_REFERENCE.finding(f"top-1 {share:.1%} against {wanted:.1%} of the reference")]


def _of_trials(records: Sequence[TrialRecord]) -> list[Finding]:
    """The launches' own findings, one per code with how many launches it was seen in."""
    by_code: dict[str, list[Finding]] = {}
    launches = [record for record in records if record.status is Status.OK]
    for record in launches:
        for finding in record.findings:
            by_code.setdefault(finding.code, []).append(finding)
    return [_joined(same, len(launches)) for same in by_code.values()]


def _joined(same: Sequence[Finding], launches: int) -> Finding:
    worst = max(same, key=lambda finding: _RANK[finding.severity])
    grave = [finding for finding in same if finding.severity is worst.severity]
    severity = worst.severity
    if severity is Severity.SUSPECT and worst.code in _ONCE_IS_A_NOTE and len(grave) == 1 < launches:
        severity = Severity.NOTE
    messages = {finding.message for finding in grave}
    where = "" if launches == len(grave) else f"in {len(grave)} of {launches} launches, "
    example = "" if len(messages) == 1 else "e.g. "
    return Finding(worst.code, severity, f"{where}{example}{worst.message}", worst.advice)


def _one_per_code(found: Sequence[Finding]) -> list[Finding]:
    """A code seen both between and inside launches becomes one finding with both messages."""
    merged: dict[str, Finding] = {}
    for finding in found:
        other = merged.get(finding.code)
        if other:
            severity = max(other.severity, finding.severity, key=_RANK.__getitem__)
            message = f"{other.message}; {finding.message}"
            finding = Finding(finding.code, severity, message, finding.advice)
        merged[finding.code] = finding
    return list(merged.values())

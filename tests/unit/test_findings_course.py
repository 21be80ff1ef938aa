"""Findings of what latencies do in the course of a window, and of one launch among many."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from orchestrator.domain import Finding, Severity, TrialRecord
from orchestrator.findings import Circumstances, case_findings, trial_findings
from tests.support.results import case, record

P50 = 10_000_000.0


def codes(found: tuple[Finding, ...]) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in found}


def calm(launch: int = 0, p50_ns: float = P50, **fields: Any) -> TrialRecord:
    """A launch without any finding: 1000 values within 2 %."""
    values = [round(p50_ns * (1 + 0.01 * ((7 * i) % 5 - 2) / 2)) for i in range(1000)]
    return record(case(), launch, values, **fields)


def test_warm_up_left_in_the_window_is_told_with_what_it_does() -> None:
    values = [round(P50 * (1 + 0.01 * ((7 * i) % 5 - 2) / 2)) for i in range(1000)]
    slow = [round(1.3 * value) for value in values[:200]] + values[200:]
    found = trial_findings(calm(), slow)[-1]
    assert codes(trial_findings(calm(), slow)) == {
        "outliers": Severity.NOTE,
        "warmup_in_window": Severity.NOTE,
    }
    assert found.message.startswith("the first 200 of 1000 iterations were 30% slower than the rest")
    faster = [round(0.7 * value) for value in values[:200]] + values[200:]
    assert codes(trial_findings(calm(), faster))["trend"] is Severity.NOTE
    noisy = [value + 40_000 * (i % 97) for i, value in enumerate(values)]
    moved = [round(1.5 * value) for value in noisy[:200]] + noisy[200:]
    assert codes(trial_findings(calm(), moved))["warmup_in_window"] is Severity.SUSPECT


def test_iterations_like_their_neighbours_are_told_for_what_they_are_worth() -> None:
    wave = [round(P50 * (1 + 0.03 * math.sin(i / 40))) for i in range(1000)]
    (found,) = trial_findings(calm(), wave)
    assert (found.code, found.severity) == ("autocorrelated", Severity.NOTE)
    assert found.message.startswith("neighbouring iterations are alike: 1000 iterations tell no more than")
    records = [replace(calm(launch), findings=(found,)) for launch in range(5)]
    assert codes(case_findings(records, Circumstances())) == {"autocorrelated": Severity.NOTE}
    assert "autocorrelated" not in codes(case_findings(records, Circumstances(emulated=True)))


def test_one_launch_apart_is_unstable_and_named() -> None:
    records = [calm(launch, P50 * (1.25 if launch == 3 else 1)) for launch in range(10)]
    (found,) = case_findings(records, Circumstances())
    assert (found.code, found.message) == ("unstable", "launch 4 was 25% slower than the others")

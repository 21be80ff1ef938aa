"""The rows of one run beside each other, as explanations ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from orchestrator.domain import Case, CaseSummary, Execution
from orchestrator.findings import Code
from orchestrator.statistics.quotient import Estimate, quotient

INT8 = ("fiq", "blq", "qat", "prq")
FP16 = ("f16",)
_OUTSIDE = {
    code.code
    for code in (
        Code.NOISY_NEIGHBOUR,
        Code.THROTTLED,
        Code.UNDER_VOLTAGE,
        Code.CLOCK_DROP,
        Code.HOT_START,
        Code.SLOW_FIRST_LAUNCH,
    )
}


@dataclass(frozen=True)
class Table:
    """A run's header and its rows by case."""

    run: Mapping[str, Any]
    rows: Mapping[Case, CaseSummary]

    @property
    def processor(self) -> Mapping[str, Any]:
        """What the cores can do; empty in runs of older versions."""
        return self.run.get("processor") or {}

    @property
    def ceilings(self) -> Sequence[Mapping[str, Any]]:
        """What containers could do at most, where that was measured."""
        return self.run.get("ceilings") or ()

    def by_threads(self, case: Case) -> Sequence[CaseSummary]:
        """The rows that differ from this case in nothing but their threads, itself among them."""
        return self._by_threads[replace(case, threads=1)]

    @cached_property
    def _by_threads(self) -> dict[Case, list[CaseSummary]]:
        found: dict[Case, list[CaseSummary]] = {}
        for row in self.rows.values():
            found.setdefault(replace(row.case, threads=1), []).append(row)
        return found

    def in_fp32(self, row: CaseSummary, quantizing: Sequence[str]) -> CaseSummary | None:
        """The row of the same network in the same place before it was made small this way, or None.

        ``kd-fiq`` is set against ``kd``, ``prq`` against ``prn`` or else ``nq``, ``fiq`` against ``nq``.
        """
        parts = row.case.variant.split("-")
        if parts[-1] not in quantizing:
            return None
        before = "-".join(parts[:-1])
        tried = [f"{before}-prn" if before else "prn"] if parts[-1] == "prq" else []
        tried.append(before or "nq")
        found = (self.rows.get(replace(row.case, variant=variant)) for variant in tried)
        return next((other for other in found if other), None)


def execution_of(row: CaseSummary) -> Execution:
    """What is known of how it was executed; all unknown in rows of older versions."""
    return row.execution or Execution()


def is_int8(case: Case) -> bool:
    """Whether its file computes in 8-bit integers, as far as its variant says."""
    return case.variant.split("-")[-1] in INT8


def ratio(top: CaseSummary, bottom: CaseSummary) -> Estimate | None:
    """The median latency of one row over another's with its 95 % interval; None where one has no interval."""
    first, second = _estimate(top), _estimate(bottom)
    return quotient(first, second) if first and second else None


def _estimate(row: CaseSummary) -> Estimate | None:
    if row.p50_ns is None or row.interval is None or row.emulated:
        return None
    return Estimate(row.p50_ns, row.interval.low_ns, row.interval.high_ns)


def disturbed(*rows: CaseSummary) -> str | None:
    """What from outside may have moved one of these latencies: codes of findings, or None."""
    codes = {finding.code for row in rows for finding in row.findings}
    return ", ".join(sorted(codes & _OUTSIDE)) or None


def as_evidence(found: Estimate) -> dict[str, float]:
    """A ratio's figures."""
    return {"ratio": found.value, "ratio_low": found.low, "ratio_high": found.high}

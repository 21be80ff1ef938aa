"""What disturbed a row from outside, and what the instrument itself costs in it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain import CaseSummary, Note
from orchestrator.explain import told
from orchestrator.explain.table import Table, execution_of
from orchestrator.findings import Code
from orchestrator.findings.trial import HARNESS_LIMIT

THERMAL = {
    Code.THROTTLED.code: "Heat or a power limit slowed the processor down while this was measured",
    Code.CLOCK_DROP.code: "The processor's clock was lower than it can be while this was measured",
    Code.HOT_START.code: "This was measured on a board that was still warm",
}


def thermal(table: Table, row: CaseSummary) -> Iterator[Note]:
    """What findings saw of heat and clocks, with the highest temperature that was read."""
    for finding in row.findings:
        if finding.code in THERMAL:
            evidence: dict[str, float | str] = {"finding": finding.code, "seen": finding.message}
            hottest = max(row.temperatures_c.items(), key=lambda item: item[1], default=None)
            heat = ""
            if hottest:
                heat = f"; the hottest sensor, {hottest[0]}, reached {hottest[1]:.0f} C"
                evidence |= {"hottest_sensor": hottest[0], "hottest_c": hottest[1]}
            yield Note("thermal", f"{THERMAL[finding.code]}: {finding.message}{heat}.", evidence)


def neighbour(table: Table, row: CaseSummary) -> Iterator[Note]:
    """What other programs took of the processor, as the finding has it."""
    for finding in row.findings:
        if finding.code == Code.NOISY_NEIGHBOUR.code:
            yield Note(
                "noisy_neighbour",
                f"Something else used the processor while this was measured: {finding.message}.",
                {"finding": finding.code, "seen": finding.message},
            )


def harness(table: Table, row: CaseSummary) -> Iterator[Note]:
    """The timed loop's own share of the latency, where it is above the limit of the finding."""
    cost_ns = execution_of(row).harness_p50_ns
    if row.p50_ns and cost_ns is not None and cost_ns > HARNESS_LIMIT * row.p50_ns:
        share = cost_ns / row.p50_ns
        yield Note(
            "harness_share",
            f"Of the {told.time(row.p50_ns)} of one inference {told.time(cost_ns)} ({share:.1%}) are the "
            "timed loop itself.",
            {"harness_ns": cost_ns, "p50_ns": row.p50_ns, "share": share},
        )

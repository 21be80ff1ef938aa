"""int8 that is not faster than the fp32 it was made of, and what was seen that may be why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain import CaseSummary, Note
from orchestrator.explain import told
from orchestrator.explain.table import INT8, Table, as_evidence, disturbed, execution_of, ratio

# A ratio whose interval goes lower than this may be a real gain that the launches did not show.
OPEN = 0.9
CONVERSIONS = ("QuantizeLinear", "DequantizeLinear", "QUANTIZE", "DEQUANTIZE", "DynamicQuantizeLinear")
# Below this mean time a node's call weighs against its arithmetic (a measured empty loop costs 0.1 us,
# a runtime's dispatch of one node about 1 us).
SHORT_NODE_NS = 5_000

Evidence = dict[str, float | str]
Cause = tuple[str, Evidence]


def int8(table: Table, row: CaseSummary) -> Iterator[Note]:
    """A note where the interval of its latency over fp32's reaches 1 and leaves no room for a real gain."""
    other = table.in_fp32(row, INT8)
    found = ratio(row, other) if other else None
    if other is None or found is None or found.high < 1 or found.low < OPEN:
        return
    outside = disturbed(row, other)
    causes = list(_causes(table, row, other))
    verb = "slower than" if found.low > 1 else "no faster than"
    why = "Nothing that was recorded points to a cause."
    if causes:
        why = f"Likely because {'; '.join(text for text, _ in causes)}."
    if outside:
        why = f"One of the two was disturbed ({outside}): measure again first. If it stays: {_lower(why)}"
    evidence: Evidence = {**as_evidence(found), "fp32": other.case.id}
    for _, more in causes:
        evidence |= more
    if outside:
        evidence["disturbed"] = outside
    yield Note(
        "int8_not_faster",
        f"int8 ({row.case.variant}) is {verb} {other.case.variant} here: {told.time(row.p50_ns or 0)} "
        f"against {told.time(other.p50_ns or 0)}, {found.value:.2f} times as long "
        f"(95 % interval {found.low:.2f} to {found.high:.2f}). {why}",
        evidence,
    )


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _causes(table: Table, row: CaseSummary, other: CaseSummary) -> Iterator[Cause]:
    """What points to a cause, the weightiest first."""
    execution = execution_of(row)
    if execution.float_fallback:
        count = sum(execution.float_fallback.values())
        listed = told.kinds(execution.float_fallback)
        yield f"{told.nodes(count)} of its file stayed in fp32 ({listed})", {"float_nodes": count}
    yield from _no_instructions(table, row)
    yield from _conversions(execution.operators)
    nodes = [count for count in execution_of(other).nodes.values() if count]
    if nodes and other.p50_ns and other.p50_ns / sum(nodes) < SHORT_NODE_NS:
        each_ns = other.p50_ns / sum(nodes)
        yield (
            f"the network is small: in fp32 a node takes {told.time(each_ns)} on average, so calling it "
            "weighs against its arithmetic",
            {"fp32_ns_per_node": each_ns},
        )


def _no_instructions(table: Table, row: CaseSummary) -> Iterator[Cause]:
    """An empty list is known to be empty; None is unknown."""
    if row.case.accelerator == "cpu" and table.processor.get("dot_product") == []:
        arch = str(table.processor.get("arch"))
        yield (
            f"this processor ({arch}) has no dot-product instructions for int8",
            {"dot_product": "none", "arch": arch},
        )


def _conversions(operators: Mapping[str, Mapping[str, int]]) -> Iterator[Cause]:
    """Executed nodes that only convert; one at the input and one at the output are always needed."""
    kinds = [(kind, count) for kinds in operators.values() for kind, count in kinds.items()]
    converting = sum(count for kind, count in kinds if kind in CONVERSIONS)
    total = sum(count for _, count in kinds)
    if converting > 2:
        yield (
            f"{converting} of the {total} nodes that ran only convert between int8 and fp32",
            {"conversion_nodes": converting, "executed_nodes": total},
        )

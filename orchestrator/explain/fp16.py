"""fp16 files that are computed in fp32."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain import CaseSummary, Note
from orchestrator.explain import told
from orchestrator.explain.table import FP16, Table, as_evidence, execution_of, ratio

# Runtimes put these in where a kernel takes no fp16; one at the input and one at the output prove nothing.
CASTS = ("Cast", "DEQUANTIZE", "InsertedCast")


def fp16(table: Table, row: CaseSummary) -> Iterator[Note]:
    """A note where the file's operators, or the casts that ran between them, show fp32."""
    if row.case.variant.split("-")[-1] not in FP16:
        return
    execution = execution_of(row)
    evidence: dict[str, float | str] = {}
    kinds = [(kind, count) for kinds in execution.operators.values() for kind, count in kinds.items()]
    casts = sum(count for kind, count in kinds if kind in CASTS)
    if set(execution.compute) == {"float32"}:
        count = execution.compute["float32"]
        seen = f"all {told.nodes(count)} of its file compute in fp32"
        evidence["float32_nodes"] = count
    elif casts > 2:
        seen = f"{casts} of the {sum(count for _, count in kinds)} nodes that ran convert between the two"
        evidence["cast_nodes"] = casts
    else:
        return
    other = table.in_fp32(row, FP16)
    found = ratio(row, other) if other else None
    if other and found:
        evidence |= {**as_evidence(found), "fp32": other.case.id}
        seen += (
            f"; its latency is {found.value:.2f} times that of {other.case.variant} "
            f"(95 % interval {found.low:.2f} to {found.high:.2f})"
        )
    yield Note("fp16_in_fp32", f"fp16 weights make the file smaller, but not the work: {seen}.", evidence)

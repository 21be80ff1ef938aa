"""More threads than help."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain import CaseSummary, Note
from orchestrator.explain import told
from orchestrator.explain.table import Table, as_evidence, disturbed, execution_of, ratio


def threads(table: Table, row: CaseSummary) -> Iterator[Note]:
    """A note on more threads than cores, and one where fewer threads were faster beyond doubt."""
    cores, asked = execution_of(row).cores, row.case.threads
    if row.case.accelerator == "cpu" and cores is not None and asked > cores:
        yield Note(
            "threads_oversubscribed",
            f"{told.threads(asked)} shared {cores} core{'' if cores == 1 else 's'} and took turns.",
            {"threads": asked, "cores": cores},
        )
    fewer = [
        (found, other)
        for other in table.by_threads(row.case)
        if other.case.threads < asked and (found := ratio(row, other)) and found.low > 1
    ]
    if fewer:
        found, other = max(fewer, key=lambda item: item[0].value)
        outside = disturbed(row, other)
        caveat = f"; one of the two was disturbed ({outside})" if outside else ""
        yield Note(
            "threads_slower",
            f"{told.threads(asked)} take {told.time(row.p50_ns or 0)}, {told.threads(other.case.threads)} "
            f"only {told.time(other.p50_ns or 0)}: {found.value:.2f} times as long with more threads "
            f"(95 % interval {found.low:.2f} to {found.high:.2f}){caveat}.",
            {**as_evidence(found), "threads": asked, "fewer_threads": other.case.threads}
            | ({"disturbed": outside} if outside else {}),
        )

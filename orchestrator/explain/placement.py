"""Nodes that ran elsewhere than the rest: a fallback that no error tells."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain import CaseSummary, Note
from orchestrator.explain import told
from orchestrator.explain.table import Table, execution_of


def placement(table: Table, row: CaseSummary) -> Iterator[Note]:
    """A note where two places or more executed a known number of nodes."""
    execution = execution_of(row)
    nodes = {place: count for place, count in execution.nodes.items() if count}
    if len(nodes) < 2 or None in execution.nodes.values():
        return
    total = sum(nodes.values())
    shares = []
    (main, most), *others = sorted(nodes.items(), key=lambda item: (-item[1], item[0]))
    for place, count in others:
        kinds = execution.operators.get(place)
        listed = f" ({told.kinds(kinds)})" if kinds else ""
        shares.append(f"{count} ({count / total:.0%}) on {place}{listed}")
    yield Note(
        "nodes_elsewhere",
        f"Not all nodes ran in one place: {most} of {total} ({most / total:.0%}) on {main}, "
        f"{', '.join(shares)}.",
        {"total_nodes": total, **{f"nodes_on_{place}": count for place, count in nodes.items()}},
    )

"""Explanations of a whole document: each row asked by each of them in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from orchestrator.domain import CaseSummary, Note
from orchestrator.explain import disturbance, fp16, int8, placement, roofline, threads
from orchestrator.explain.table import Table
from orchestrator.merge import case_summary

Explanation = Callable[[Table, CaseSummary], Iterator[Note]]
_EVERY: tuple[Explanation, ...] = (
    int8.int8,
    fp16.fp16,
    placement.placement,
    roofline.bound,
    threads.threads,
    disturbance.thermal,
    disturbance.neighbour,
    disturbance.harness,
)


def notes(document: Mapping[str, Any]) -> dict[str, list[Note]]:
    """By case id the notes of each row of a run's summary document, none where there is nothing to say."""
    return {row.case.id: list(row.notes) for row in _rows(document)}


def explained(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with ``notes`` and ``roofline`` in each of its cases."""
    made = {row.case.id: row for row in _rows(document)}
    cases = []
    for case, row in zip(document["cases"], made.values(), strict=True):
        place = row.roofline
        told = [asdict(note) for note in row.notes]
        cases.append({**case, "notes": told, "roofline": asdict(place) if place else None})
    return {**document, "cases": cases}


def _rows(document: Mapping[str, Any]) -> list[CaseSummary]:
    """The rows in their order, with their notes."""
    summaries = [case_summary(row) for row in document["cases"]]
    table = Table(document["run"], {row.case: row for row in summaries})
    return [_noted(table, row) for row in summaries]


def _noted(table: Table, row: CaseSummary) -> CaseSummary:
    placed = replace(row, roofline=roofline.roofline(table, row))
    found = [note for explain in _EVERY for note in explain(table, placed)] if row.p50_ns else []
    if row.emulated:  # nothing about speed is true of the board
        found = list(placement.placement(table, row))
    return replace(placed, notes=tuple(found))

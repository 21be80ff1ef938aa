"""A study's report as tables in the paper's layout, for Markdown and for a terminal alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.report.cells import UNKNOWN, Cell
from orchestrator.report.notes import Footnotes
from orchestrator.study.card import BASELINE
from orchestrator.study.metrics import PER_RUNTIME
from orchestrator.study.values import TITLES, measured, published

Row = Mapping[str, Any]
HERE, PAPER = "measured", "published"


@dataclass(frozen=True)
class Grid:
    """One table: what it shows, of which network, its titles (a line feed parts a unit), texts, footnotes."""

    title: str
    network: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def grids(document: Row) -> Iterator[Grid]:
    """The tables of a report document, network after network as the study lists them."""
    for table in document["study"]["tables"]:
        for rows in groups(document):
            shown = [row for row in rows if row["variant"] in (table["variants"] or [row["variant"]])]
            if not shown:
                continue
            make = _by_runtime if table["rows"] == "runtimes" else _by_variant
            yield make(document, table, rows, shown)


def groups(document: Row) -> list[list[Row]]:
    """The rows of each network in their order."""
    found: dict[str, list[Row]] = {}
    for row in document["rows"]:
        found.setdefault(row["model"], []).append(row)
    return list(found.values())


def labels(document: Row, rows: Sequence[Row]) -> list[str]:
    """The runtimes (with their options) in which rows were to run, in the study's order."""
    order = document["study"]["runtimes"]
    seen = {
        one["label"]: order.index(one["runtime"]) if one["runtime"] in order else len(order)
        for row in rows
        for one in row["measured"]
    }
    return sorted(seen, key=lambda label: (seen[label], label))


def case_of(row: Row | None, label: str) -> Row | None:
    """What a variant gave in one runtime; None where it was not to run there."""
    return next((one for one in (row["measured"] if row else ()) if one["label"] == label), None)


def baseline(rows: Sequence[Row]) -> Row | None:
    """The row of nq among those of one network."""
    return next((row for row in rows if row["variant"] == BASELINE), None)


def first_label(document: Row, rows: Sequence[Row]) -> str | None:
    """The runtime whose files give accuracy, size and memory: the first in which nq was measured."""
    base, every = baseline(rows), labels(document, rows)
    good = (label for label in every if (one := case_of(base, label)) and one["p50_ns"] is not None)
    return next(good, every[0] if every else None)


def _values(document: Row, row: Row, metric: str) -> list[Row]:
    """The published values of a figure of one variant; none where another network or data was taken."""
    if document["scale"]:
        return []
    return [
        entry
        for entry in document["study"]["published"]
        if entry["metric"] == metric
        and entry["variant"] == row["variant"]
        and entry["model"] in (None, row["network"])
        and entry["data"] in (None, row["data"])
    ]


@dataclass
class _Columns:
    """Columns growing side by side, their unknown cells sharing footnotes."""

    titles: list[str]
    cells: list[list[Cell]]

    def add(self, title: str, cells: Sequence[Cell]) -> None:
        self.titles.append(title)
        self.cells.append(list(cells))

    def grid(self, title: str, network: str, first: Sequence[str]) -> Grid:
        footnotes = Footnotes()
        marked = [[footnotes.mark(cell) for cell in column] for column in self.cells]
        return Grid(
            title,
            network,
            tuple(self.titles),
            tuple(zip(first, *marked, strict=True)),
            tuple(footnotes.lines()),
        )


def _by_variant(document: Row, table: Row, rows: Sequence[Row], shown: Sequence[Row]) -> Grid:
    columns, base = _Columns(["variant"], []), baseline(rows)
    first, every = first_label(document, rows), labels(document, rows)
    for metric in table["columns"]:
        quoted = [_values(document, row, metric) for row in shown]
        for label in every if metric in PER_RUNTIME else [first]:
            cells = [
                measured(metric, row, case_of(row, label or ""), case_of(base, label or "")) for row in shown
            ]
            title = f"{label}\n{TITLES[metric]}" if metric in PER_RUNTIME else TITLES[metric]
            columns.add(f"{title}\n{HERE}" if any(quoted) else title, cells)
        if any(quoted):
            columns.add(f"{metric.replace('_', ' ')}\n{PAPER}", [published(found) for found in quoted])
    network = rows[0]["model"] + (f"; accuracy, file and memory in {first}" if first else "")
    return columns.grid(table["title"], network, [row["variant"] for row in shown])


def _by_runtime(document: Row, table: Row, rows: Sequence[Row], shown: Sequence[Row]) -> Grid:
    pairs = [(label, row) for label in labels(document, rows) for row in shown if case_of(row, label)]
    pairs += [(UNKNOWN, row) for row in shown if not row["measured"]]
    columns, base = _Columns(["runtime, variant"], []), baseline(rows)
    for metric in table["columns"]:
        quoted = [
            [entry for entry in _values(document, row, metric) if _is_of(entry, case_of(row, label))]
            for label, row in pairs
        ]
        cells = [measured(metric, row, case_of(row, label), case_of(base, label)) for label, row in pairs]
        columns.add(f"{TITLES[metric]}\n{HERE}" if any(quoted) else TITLES[metric], cells)
        if any(quoted):
            columns.add(f"{metric.replace('_', ' ')}\n{PAPER}", [published(found) for found in quoted])
    names = [f"{label}, {row['variant']}" for label, row in pairs]
    return columns.grid(table["title"], rows[0]["model"], names)


def _is_of(entry: Row, case: Row | None) -> bool:
    return entry["runtime"] is None or (case is not None and entry["runtime"] == case["runtime"])

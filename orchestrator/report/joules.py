"""Energy in tables: a gross and a net column for each scope, so that no scope is set against another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from orchestrator.domain import CaseEnergy, CaseSummary, PowerCourse
from orchestrator.report import cells
from orchestrator.report.cells import UNKNOWN, Cell, decimals, number
from orchestrator.report.column import Column

_UNITS = (("J", 1.0), ("mJ", 1e-3), ("uJ", 1e-6))
# A rail is part of what its board's input shows: it stands in the files, not beside it.
_PART = "supply_rail"
Shown = TypeVar("Shown", CaseEnergy, PowerCourse)


def shown(figures: Sequence[Shown]) -> list[Shown]:
    """The figures that tables show; of a meter with a counter not the power that it sampled as well."""
    counters = {_meter(one) for one in figures if one.method == "counter"}
    return [
        one
        for one in figures
        if one.scope != _PART and (one.method == "counter" or _meter(one) not in counters)
    ]


def _meter(figure: CaseEnergy | PowerCourse) -> str:
    return figure.source.rpartition(".")[0]


def energy_unit(values_j: Iterable[float | None]) -> tuple[str, float]:
    """The unit in which the smallest known value has digits before the point, and how many joules it is."""
    least = min((abs(value) for value in values_j if value), default=1e-3)
    return next(((name, size) for name, size in _UNITS if least >= size), _UNITS[-1])


def energy_columns(rows: Sequence[CaseSummary]) -> list[Column]:
    """Two columns a power source that some row has, named by its scope."""
    by_source: dict[str, CaseEnergy] = {}
    for row in rows:
        for figure in shown(row.energy):
            by_source.setdefault(figure.source, figure)
    scopes = [figure.scope for figure in by_source.values()]
    columns = []
    for source, figure in sorted(by_source.items(), key=lambda item: (item[1].scope, item[0])):
        name = figure.scope if scopes.count(figure.scope) == 1 else f"{figure.scope} {source}"
        found = [one for row in rows for one in row.energy if one.source == source]
        unit = energy_unit(one.gross_per_inference_j for one in found)
        columns += [
            Column(f"{name} gross\n{unit[0]}", _cell(source, unit[1], _gross)),
            Column(f"{name} net\n{unit[0]}", _cell(source, unit[1], _net)),
        ]
    return columns


Part = tuple[float | None, float | None, float | None, str | None]  # value, low, high, reason


def _gross(figure: CaseEnergy) -> Part:
    return figure.gross_per_inference_j, figure.gross_low_j, figure.gross_high_j, figure.reason


def _net(figure: CaseEnergy) -> Part:
    return (
        figure.net_per_inference_j,
        figure.net_low_j,
        figure.net_high_j,
        figure.net_reason or figure.reason,
    )


def _cell(source: str, size_j: float, part: Callable[[CaseEnergy], Part]) -> Callable[[CaseSummary], Cell]:
    def cell(row: CaseSummary) -> Cell:
        if row.p50_ns is None:
            return Cell(UNKNOWN)
        figure = next((one for one in row.energy if one.source == source), None)
        if figure is None:
            return Cell(UNKNOWN, f"{source} was not read")
        value, low, high, reason = part(figure)
        if value is None:
            return Cell(UNKNOWN, f"{source}: {reason or 'no reason given'}")
        text = number(value / size_j)
        if low is not None and high is not None:
            places = decimals(value / size_j)
            text += f" ({low / size_j:.{places}f}–{high / size_j:.{places}f})"
        return cells.greyed(Cell(text), row)

    return cell


def energy_lines(rows: Iterable[CaseSummary]) -> list[str]:
    """What each power source is and how it was read, one line each, as far as some row has its figure."""
    told: dict[str, list[CaseEnergy]] = {}
    for row in rows:
        for figure in shown(row.energy):
            if figure.gross_per_inference_j is not None:
                told.setdefault(figure.source, []).append(figure)
    return [_line(source, figures) for source, figures in sorted(told.items())]


def _line(source: str, figures: Sequence[CaseEnergy]) -> str:
    rates = [figure.rate_hz for figure in figures if figure.rate_hz is not None]
    covered = [figure.coverage for figure in figures if figure.coverage is not None]
    spreads = [figure.uncertainty for figure in figures if figure.uncertainty is not None]
    parts = [f"energy by {source}: scope {figures[0].scope}", figures[0].method]
    parts += [f"{min(rates):.3g} readings a second"] if rates else []
    parts += [f"coverage at least {min(covered):.1%}"] if covered else []
    parts += [f"one launch's gross uncertain by at most {max(spreads):.2%} (k = 1)"] if spreads else []
    if not figures[0].calibrated:
        parts.append("uncalibrated: the sensor's gain error is not included")
    return ", ".join(parts)

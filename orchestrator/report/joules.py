"""Energy in tables: a gross and a net column for each scope, so that no scope is set against another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from orchestrator.domain import CaseEnergy, CaseSummary
from orchestrator.report import cells
from orchestrator.report.cells import UNKNOWN, Cell, decimals, number
from orchestrator.report.column import Column

_UNITS = (("J", 1.0), ("mJ", 1e-3), ("uJ", 1e-6))
# A rail is part of what its board's input shows: it stands in the files, not beside it.
_PART = "supply_rail"


def meter_of(source: str) -> str:
    """What a source belongs to: ``nvml.0.energy`` and ``nvml.0.power`` are two channels of one meter."""
    head, _, channel = source.rpartition(".")
    return head if channel in ("energy", "power") else source


def shown(rows: Iterable[CaseSummary]) -> dict[str, list[CaseEnergy]]:
    """The rows' figures by the sources that tables show.

    Of a meter that counts and samples as well it is the channel that has more figures, then the surer one.
    """
    by_source: dict[str, list[CaseEnergy]] = {}
    for row in rows:
        for figure in row.energy:
            if figure.scope != _PART:
                by_source.setdefault(figure.source, []).append(figure)
    best: dict[str, str] = {}
    for source in by_source:
        rival = best.get(meter_of(source), source)
        best[meter_of(source)] = max(rival, source, key=lambda name: _sureness(by_source[name]))
    return {source: by_source[source] for source in sorted(best.values())}


def _sureness(figures: Sequence[CaseEnergy]) -> tuple[int, float, bool]:
    held = [figure for figure in figures if figure.gross_per_inference_j is not None]
    unsure = [math.inf if figure.uncertainty is None else figure.uncertainty for figure in held]
    return len(held), -max(unsure, default=0.0), figures[0].method == "counter"


def energy_unit(values_j: Iterable[float | None]) -> tuple[str, float]:
    """The unit in which the smallest known value has digits before the point, and how many joules it is."""
    least = min((abs(value) for value in values_j if value), default=1e-3)
    return next(((name, size) for name, size in _UNITS if least >= size), _UNITS[-1])


def energy_columns(rows: Sequence[CaseSummary]) -> list[Column]:
    """Two columns a power source that some row has, named by its scope."""
    by_source = {source: figures[0] for source, figures in shown(rows).items()}
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
        short = f"of {figure.launches} of {row.launches} launches" if figure.launches < row.launches else None
        return cells.greyed(Cell(text, short), row)

    return cell


def energy_lines(rows: Iterable[CaseSummary]) -> list[str]:
    """What each power source is and how it was read, one line each, as far as some row has its figure."""
    held = {
        source: [figure for figure in figures if figure.gross_per_inference_j is not None]
        for source, figures in shown(rows).items()
    }
    return [_line(source, figures) for source, figures in held.items() if figures]


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

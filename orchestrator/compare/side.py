"""One side of a comparison: a results folder with its launches, or a summary or merged file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import wire
from orchestrator.compare import provenance
from orchestrator.compare.figures import from_launches, from_summary
from orchestrator.compare.metrics import Figure
from orchestrator.domain import Case, CaseSummary, InferometerError, Status, TrialRecord, Verdict
from orchestrator.merge import case_summary
from orchestrator.merge.documents import runs_of
from orchestrator.report.document import load
from orchestrator.statistics.percentiles import percentile_floor
from orchestrator.store import Run

_QUANTILES = {"p90": 0.9, "p99": 0.99}


@dataclass(frozen=True)
class Measured:
    """A case as one side has it. ``provenance``: field -> its value as text, None where it is unknown."""

    case: Case
    summary: CaseSummary
    figures: Mapping[str, Figure]
    provenance: Mapping[str, str | None]


@dataclass(frozen=True)
class Side:
    """``name`` is what the user called it; ``runs`` the headers of its runs; ``skips`` reasons by case id."""

    name: str
    runs: tuple[Mapping[str, Any], ...]
    cases: Mapping[str, Measured]
    skips: Mapping[str, str] = field(default_factory=dict)


def read(path: Path) -> Side:
    """A side from its place. Raises InferometerError when it is no results or damaged."""
    document = load(path)
    try:
        found = _folder(path, document) if path.is_dir() else _file(document)
        for name, measured in found.items():
            for key, figure in measured.figures.items():
                if not all(map(math.isfinite, [figure.value or 0.0, *figure.launches])):
                    raise ValueError(f"{key} of {name} is no finite number")
    except (LookupError, TypeError, ValueError, AttributeError) as problem:
        # A traceback would end with the exit status that says: it became slower.
        raise InferometerError(f"{path}: damaged ({problem!r}); restore it from a copy") from None
    skips = {Case.from_json(item["case"]).id: item["reason"] for item in document["skips"]}
    return Side(str(path), tuple(runs_of(document)), found, skips)


def skipped(other: Measured, reason: str) -> Measured:
    """A case that the ``other`` side measured and this one could not begin: nothing of it differs."""
    row = CaseSummary(
        other.case, Verdict.VALID, (), launches=0, failed=0, count=0, failure=f"skipped: {reason}"
    )
    return Measured(other.case, row, from_summary(row), other.provenance)


def _folder(path: Path, document: Mapping[str, Any]) -> dict[str, Measured]:
    run = Run.open(path)
    header = run.header()
    groups: dict[str, list[tuple[int, TrialRecord]]] = {}
    for number, record in enumerate(run.records()):
        groups.setdefault(record.case.id, []).append((number, record))
    found = {}
    for row in document["cases"]:
        summary = case_summary(row)
        group = groups[summary.case.id]
        good = [(number, record) for number, record in group if record.status is Status.OK]
        windows = [_quantiles(run, number) for number, _ in good]
        quantiles = {name: [window[name] for window in windows] for name in _QUANTILES}
        records = [record for _, record in good]
        found[summary.case.id] = Measured(
            summary.case,
            summary,
            from_launches(summary, records, quantiles),
            provenance.of_run(header, [record for _, record in group], summary),
        )
    return found


def _quantiles(run: Run, number: int) -> dict[str, float | None]:
    """Of one launch's window, None where it holds too few iterations; that it is whole was checked."""
    import numpy as np

    with (run.raw(number) / "transcript.jsonl").open("rb") as stream:
        window = np.asarray(wire.read(stream).latencies("measure"))
    return {
        name: float(np.quantile(window, q)) if len(window) >= percentile_floor(q) else None
        for name, q in _QUANTILES.items()
    }


def _file(document: Mapping[str, Any]) -> dict[str, Measured]:
    runs = {run.get("name"): run for run in runs_of(document)}
    found = {}
    for row in document["cases"]:
        summary = case_summary(row)
        run = runs.get(row.get("run"), next(iter(runs.values())))
        facts = provenance.of_document(run, document["artifacts"], summary)
        found[summary.case.id] = Measured(summary.case, summary, from_summary(summary), facts)
    return found

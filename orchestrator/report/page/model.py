"""The page's data: one JSON object of a document and, where there is a folder, of its raw data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from orchestrator.domain import Case, CaseSummary, TrialRecord
from orchestrator.merge.documents import runs_of
from orchestrator.report import explained, joules, notes, table
from orchestrator.report.cells import plain
from orchestrator.report.page import provenance, rows, series
from orchestrator.report.page.launches import Launch

TIMELINES = 200  # cases that have one; a page of more would be slow to open
_SUMMARY = {"run", *(field.name for field in fields(CaseSummary))}
VERDICTS = ("valid", "suspect", "invalid", rows.FAILED)
NO_RAW = (
    "This page was made from summaries, not from a results folder: latency distributions, telemetry "
    "timelines and the digests of each case are in the reports of the single runs."
)


def build(
    document: Mapping[str, Any],
    launches: Iterable[Launch] = (),
    header: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything the page shows, as JSON; deterministic.

    ``launches``: of the run's folder, each case's in any order, read once and not kept; ``header``: its
    ``run.json``. A comparison has neither, and ``left_out`` says so. Raises InferometerError on a bad case.
    """
    content = table.content({**document, "cases": [_summary_alone(row) for row in document["cases"]]})
    texts: dict[str, int] = {}
    raw = {Case.from_json(row["case"]).id: row for row in document["cases"]}
    sources = rows.shown_sources(row.summary for row in content.rows)
    made = {
        row.summary.case.id: {
            **rows.row(
                raw[row.summary.case.id],
                row.summary,
                notes.name(row.summary.case, content),
                sources,
                lambda text: texts.setdefault(text, len(texts)),
            ),
            "run": [str(run["name"]) for run in content.runs].index(str(row.run)),
        }
        for row in content.rows
    }
    counts = {case: row["launches"] + row["failed"] for case, row in made.items()}
    left_out = _add_launches(made, launches, sum(counts.values()))
    runs = [provenance.of_run(run, header if len(content.runs) == 1 else None) for run in runs_of(document)]
    return {
        "title": _title(content.runs),
        "runs": runs,
        "rows": list(made.values()),
        "verdicts": _verdicts(list(made.values()), len(content.skips)),
        "texts": list(texts),
        "skips": _skips(content),
        "artifacts": list(document["artifacts"]),
        "curves": list(explained.curves_of(document)),
        "citation": document.get("citation"),
        "legend": notes.legend(content.rows),
        "lines": [plain(line) for line in joules.energy_lines(row.summary for row in content.rows)],
        "weights": notes.weights_line(content.rows),
        "left_out": left_out if header else [NO_RAW],
    }


def _summary_alone(row: Mapping[str, Any]) -> dict[str, Any]:
    """A case without what other rooms say about it (notes, roofline): the page shows that as it is told."""
    return {name: value for name, value in row.items() if name in _SUMMARY}


def _add_launches(made: Mapping[str, dict[str, Any]], launches: Iterable[Launch], expected: int) -> list[str]:
    """Give each row its launches, timeline and provenance; returns what was left out, in words."""
    quantiles = series.quantile_count(expected)
    points = series.point_count(min(TIMELINES, len(made)))
    allowed = set(list(made)[:TIMELINES])
    records: dict[str, list[TrialRecord]] = {}
    for launch in launches:
        case = launch.record.case.id
        row = made.get(case)
        if row is None:
            continue  # a trial that was written after the document was made
        records.setdefault(case, []).append(launch.record)
        row.setdefault("tries", []).append(series.tally(launch, quantiles))
        if launch.phases and case in allowed and "timeline" not in row:
            row["timeline"] = series.timeline(launch, points)
    for case, found in records.items():
        made[case]["tries"].sort(key=lambda told: told["n"])
        made[case]["provenance"] = provenance.of_case(found)
    said = []
    if len(made) > TIMELINES:
        said.append(
            f"Telemetry timelines are drawn for the first {TIMELINES} of {len(made)} cases, so that the page "
            "opens quickly; the readings of all are in the results folder."
        )
    if expected * series.MOST_QUANTILES > series.QUANTILES_OF_A_PAGE and records:
        said.append(
            f"Each launch's distribution is drawn from {quantiles} quantiles; every iteration is in the "
            "results folder."
        )
    return said


def _title(runs: Sequence[Mapping[str, Any]]) -> str:
    names = ", ".join(sorted({plain(str(run["device"])) for run in runs}))
    return f"{names}: {plain(str(runs[0]['name']))}" if len(runs) == 1 else f"{len(runs)} runs: {names}"


def _verdicts(found: Sequence[Mapping[str, Any]], skipped: int) -> dict[str, int]:
    counted = Counter(row["verdict"] for row in found)
    return {**{verdict: counted[verdict] for verdict in VERDICTS}, "skipped": skipped}


def _skips(content: table.Content) -> list[dict[str, Any]]:
    """``{reason, cases: [name]}``, cases with equal reasons together."""
    by_reason: dict[str, list[str]] = {}
    for skip in content.skips:
        by_reason.setdefault(plain(skip.reason), []).append(notes.name(skip.case, content))
    return [{"reason": reason, "cases": cases} for reason, cases in by_reason.items()]

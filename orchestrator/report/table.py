"""A document cut into groups of rows, one group a model, with the columns of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from orchestrator.domain import Case, CaseSummary, Skip
from orchestrator.merge import case_summary
from orchestrator.merge.documents import runs_of
from orchestrator.report import cells, stability
from orchestrator.report.cells import MIB, UNKNOWN, Cell, number, time_unit
from orchestrator.report.column import Column as Column
from orchestrator.report.heat import heat_columns
from orchestrator.report.joules import energy_columns
from orchestrator.report.sizes import size_columns


@dataclass(frozen=True)
class Row:
    """One case; ``run`` names its run in a merged comparison."""

    summary: CaseSummary
    run: str


@dataclass(frozen=True)
class Group:
    """The rows of one model, fastest first among equals, failures last."""

    model: str
    rows: Sequence[Row]
    identity: Sequence[Column]
    figures: Sequence[Column]
    constant: Mapping[str, str] = field(default_factory=dict)  # title -> the value all rows share

    def varying(self) -> list[Column]:
        """The identity columns in which rows differ, the runtime always."""
        return [column for column in self.identity if column.title not in self.constant]


@dataclass(frozen=True)
class Content:
    """Everything a document says, ready to be laid out."""

    runs: Sequence[Mapping[str, Any]]
    groups: Sequence[Group]
    skips: Sequence[Skip]

    @cached_property
    def rows(self) -> list[Row]:
        """All rows, group by group."""
        return [row for group in self.groups for row in group.rows]

    @cached_property
    def varying(self) -> set[str]:
        """The fields of a case in which the cases of this document differ, skipped ones included."""
        cases = [*(row.summary.case for row in self.rows), *(skip.case for skip in self.skips)]
        fields = ("device", "variant", "batch", "threads")
        return {name for name in fields if len({getattr(case, name) for case in cases}) > 1}


SAMPLED = "sampled: loading took more, so this is the highest of some readings; a shorter peak is missed"
RUNTIME = "runtime (mode)"
_IDENTITY: Sequence[tuple[str, Callable[[CaseSummary], str]]] = (
    ("device", lambda row: row.case.device),
    ("engine", lambda row: (row.engine or UNKNOWN) + (" (emulated)" if row.emulated else "")),
    ("variant", lambda row: row.case.variant),
    (RUNTIME, lambda row: row.case.runtime_label),
    ("threads", lambda row: str(row.case.threads)),
    ("batch", lambda row: str(row.case.batch)),
    ("weights", lambda row: row.weights or UNKNOWN),
)


def content(document: Mapping[str, Any]) -> Content:
    """Read a checked summary document or merged comparison. Raises InferometerError on a bad case."""
    runs = runs_of(document)
    rows = [Row(case_summary(row), row.get("run", runs[0]["name"])) for row in document["cases"]]
    by_model: dict[str, list[Row]] = {}
    for row in rows:
        by_model.setdefault(row.summary.case.model, []).append(row)
    return Content(
        runs,
        [group(model, by_model[model]) for model in sorted(by_model)],
        [Skip(Case.from_json(item["case"]), item["reason"]) for item in document["skips"]],
    )


def group(model: str, rows: Sequence[Row]) -> Group:
    """The group of one model's rows (at least one)."""
    ordered = sorted(rows, key=_order)
    constant = {}
    for title, value in _IDENTITY:
        values = {value(row.summary) for row in ordered}
        if len(values) == 1 and title != RUNTIME:
            constant[title] = values.pop()
    identity = [Column(title, _text(value), left=True) for title, value in _IDENTITY]
    return Group(model, ordered, identity, _figures([row.summary for row in ordered]), constant)


def _order(row: Row) -> tuple[Any, ...]:
    case, p50_ns = row.summary.case, row.summary.p50_ns
    unmeasured = p50_ns is None
    return case.variant, case.batch, case.threads, case.device, unmeasured, p50_ns or 0.0, case.id


def _text(value: Callable[[CaseSummary], str]) -> Callable[[CaseSummary], Cell]:
    def cell(row: CaseSummary) -> Cell:
        text = value(row)
        return Cell(text, cells.reason(row, "weights") if text == UNKNOWN else None)

    return cell


def _launches(row: CaseSummary) -> str:
    total = row.launches + row.failed
    return str(total) if not row.failed else f"{row.launches} of {total}"


def _figures(rows: Sequence[CaseSummary]) -> list[Column]:
    """The measured columns; each time column has one unit for the whole group."""
    latency = time_unit(row.p50_ns for row in rows)
    first, load = (time_unit(values) for values in ([r.first_ns for r in rows], [r.load_ns for r in rows]))

    def known(make: Callable[[CaseSummary], Cell]) -> Callable[[CaseSummary], Cell]:
        # A case without a good launch has one reason, in its first column.
        return lambda row: Cell(UNKNOWN) if row.p50_ns is None else make(row)

    def p50(row: CaseSummary) -> Cell:
        if row.p50_ns is None:
            return Cell(cells.FAILED, cells.plain(row.failure or "no launch succeeded"))
        # The mean of several speeds is none of them: its footnote names them, as in the interval's place.
        note = cells.reason(row, "interval") if row.modes and row.interval is None else None
        return Cell(number(row.p50_ns / latency.ns), note)

    def share(row: CaseSummary) -> Cell:
        cv = row.between_launch_cv
        return (
            Cell(UNKNOWN, cells.reason(row, "between_launch_cv")) if cv is None else Cell(f"{100 * cv:.1f}")
        )

    def mib(field_: str) -> Callable[[CaseSummary], Cell]:
        def cell(row: CaseSummary) -> Cell:
            value = getattr(row, field_)
            return Cell(UNKNOWN, cells.reason(row, field_)) if value is None else Cell(number(value / MIB))

        return cell

    def speed(title: str, make: Callable[[CaseSummary], Cell]) -> Column:
        return Column(title, lambda row: cells.greyed(make(row), row))

    def inference(row: CaseSummary) -> Cell:
        found = mib("inference_container_peak_bytes")(row)
        if row.inference_container_peak_method != "sampled" or found.note:
            return found
        return Cell(found.text, SAMPLED)

    parts = time_unit(part.p50_ns for row in rows for part in row.parts)

    def steps(row: CaseSummary) -> Cell:
        told = [f"{part.name} {number(part.p50_ns / parts.ns)}" for part in row.parts]
        return Cell(" + ".join(told)) if told else Cell(UNKNOWN, "the runtime does not time them apart")

    return [
        speed(f"p50\n{latency.name}", p50),
        speed(f"95 % interval\n{latency.name}", known(lambda row: cells.interval_cell(row, latency))),
        speed(f"p90\n{latency.name}", known(lambda row: cells.quantile_cell(row.p90, latency))),
        speed(f"p99\n{latency.name}", known(lambda row: cells.quantile_cell(row.p99, latency))),
        Column(stability.VERDICT, lambda row: Cell(row.verdict.value), left=True),
        Column(stability.STABILITY, stability.word, left=True),
        speed(f"mean\n{latency.name}", known(lambda row: latency.cell(row.mean_ns, "no mean latency"))),
        speed("CV\n%", known(share)),
        Column("launches", lambda row: Cell(_launches(row))),
        Column("n", lambda row: Cell(str(row.count))),
        speed(
            f"first\n{first.name}",
            known(lambda row: first.cell(row.first_ns, cells.reason(row, "first_ns"))),
        ),
        speed(f"load\n{load.name}", known(lambda row: load.cell(row.load_ns, cells.reason(row, "load_ns")))),
        *([speed(f"parts\n{parts.name}", known(steps))] if any(row.parts for row in rows) else []),
        speed(
            "rate\n1/s",
            known(
                lambda row: (
                    Cell(UNKNOWN, cells.reason(row, "rate_hz"))
                    if row.rate_hz is None
                    else Cell(number(row.rate_hz))
                )
            ),
        ),
        *heat_columns(rows),
        *energy_columns(rows),
        Column("artifact\nMiB", mib("artifact_bytes")),
        *size_columns(rows),
        speed("container\nMiB", known(mib("container_peak_bytes"))),
        speed("container load\nMiB", known(mib("load_container_peak_bytes"))),
        speed("container inference\nMiB", known(inference)),
        speed("process\nMiB", known(mib("vm_hwm_bytes"))),
        Column("accuracy", known(cells.accuracy_cell)),
        Column("parity", known(cells.parity_cell)),
    ]

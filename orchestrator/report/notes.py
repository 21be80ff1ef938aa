"""What stands around the tables: headings, footnotes, findings with their advice, skipped cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain import Case, CaseSummary
from orchestrator.report.beside import ceiling_lines, mlperf_lines
from orchestrator.report.cells import Cell, plain
from orchestrator.report.isolation import isolation_lines
from orchestrator.report.joules import energy_lines
from orchestrator.report.table import Content, Group, Row

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# More rows with one finding than this are counted, not listed: the CSV has them all.
LISTED = 8
_SWEPT = ("variant", "batch", "threads")


@dataclass
class Footnotes:
    """Numbers for reasons; equal reasons share one."""

    reasons: dict[str, int] = field(default_factory=dict)

    def mark(self, cell: Cell) -> str:
        """The cell's text with the number of its footnote."""
        text = f"({plain(cell.text)})" if cell.grey else plain(cell.text)
        if cell.note is None:
            return text
        known = self.reasons.setdefault(cell.note, len(self.reasons) + 1)
        return text + str(known).translate(_SUPERSCRIPTS)

    def lines(self) -> list[str]:
        """``¹ reason``, one line each."""
        return [f"{str(n).translate(_SUPERSCRIPTS)} {plain(reason)}" for reason, n in self.reasons.items()]


def heading(run: Mapping[str, Any]) -> str:
    """One line about a run: versions, device, machine, engine, seed, date."""
    host = ", ".join(plain(str(value)) for value in run["host"].values() if value)
    parts = [
        f"Inferometer {run['suite']}",
        f"{run['device']} ({host})" if host else run["device"],
        f"engine {', '.join(run['engines']) or 'none'}",
        f"seed {run['seed']}",
        *([str(run["scenario"])] if run.get("scenario") else []),
        *(["quick"] if run["quick"] else []),
        run["created_utc"],
        run["name"],
    ]
    return plain(" · ".join(map(str, parts)))


def weights_line(rows: Sequence[Row]) -> str | None:
    """Says which models have random weights, or None where none has."""
    random: dict[str, set[str]] = {}
    for row in rows:
        weights = row.summary.weights or ""
        if weights.startswith("random"):
            random.setdefault(weights, set()).add(row.summary.case.model)
    if not random:
        return None
    named = "; ".join(
        f"{weights} in {', '.join(sorted(models))}" for weights, models in sorted(random.items())
    )
    real = "" if all(row.summary.emulated for row in rows) else "Latency is measured for real; "
    return f"weights: {named}. {real}accuracy would mean nothing and is not shown."


LEGEND = (
    "p50: mean over launches of each launch's median, with its 95 % interval. p90, p99: of all iterations. "
    "CV: standard deviation of launch medians over their mean. n: iterations of all launches. "
    "container, process: peak memory, of loading and of inferences apart; the container's holds the page "
    "cache of files that it read first, the process's is VmHWM. parity: top-1 equal to PyTorch's on the same "
    "inputs, largest absolute difference. "
    "findings: codes that all rows of a model share stand only in the list below."
)
PARTS = " parts: the steps of an inference, each timed apart in iterations of their own after the window."


def legend(rows: Sequence[Row]) -> str:
    """What the columns mean; a sentence on parts only where some row has them."""
    return LEGEND + (PARTS if any(row.summary.parts for row in rows) else "")


@dataclass(frozen=True)
class Note:
    """One code at one severity: what was seen (message) and in which rows (their names)."""

    code: str
    severity: str
    advice: str
    seen: Sequence[tuple[str, str]]

    def head(self) -> str:
        """``unstable (suspect): advice``."""
        return f"{self.code} ({self.severity}): {self.advice}"

    def lines(self) -> list[str]:
        """``rows: message``, one line a message."""
        return [plain(f"{names}: {message}") for message, names in self.seen]


def notes(found: Content) -> list[Note]:
    """The findings of all rows by code, gravest first."""
    seen: dict[tuple[str, str], dict[str, list[Row]]] = {}
    advice: dict[tuple[str, str], str] = {}
    for row in found.rows:
        for finding in row.summary.findings:
            advice.setdefault((finding.code, finding.severity.value), finding.advice)
            messages = seen.setdefault((finding.code, finding.severity.value), {})
            messages.setdefault(finding.message, []).append(row)
    rank = {"invalid": 0, "suspect": 1, "note": 2}
    return [
        Note(
            code,
            severity,
            advice[code, severity],
            [(text, _where(rows, found)) for text, rows in messages.items()],
        )
        for (code, severity), messages in sorted(
            seen.items(), key=lambda item: (rank[item[0][1]], item[0][0])
        )
    ]


def _where(rows: Sequence[Row], found: Content) -> str:
    """The rows by name, or ``every row`` and ``all of resnet50`` where that is shorter."""
    if len(rows) == len(found.rows) > 1:
        return "every row"
    names: list[str] = []
    for group in found.groups:
        inside = [row for row in rows if row.summary.case.model == group.model]
        if len(inside) == len(group.rows) > 1:
            names.append(f"all of {group.model}")
        else:
            names += [name(row.summary.case, found) for row in inside]
    return _listed(names)


def name(case: Case, found: Content, without: str = "") -> str:
    """The shortest name of a case among those of a document: ``resnet50 pytorch (aot) threads 4``.

    ``without``: a field that is left out, of a name for cases that differ in it.
    """
    parts = [case.model, case.runtime_label]
    swept = [field_ for field_ in _SWEPT if field_ in found.varying and field_ != without]
    parts += [f"{field_} {getattr(case, field_)}" for field_ in swept]
    if "device" in found.varying:
        parts.append(f"on {case.device}")
    return " ".join(parts)


def common_codes(group: Group) -> set[str]:
    """Codes that every row of a group has: they say nothing about a single row."""
    if len(group.rows) < 2:
        return set()
    return set.intersection(*({finding.code for finding in row.summary.findings} for row in group.rows))


def codes(summary: CaseSummary, common: set[str]) -> str:
    """The codes of a row, those its whole group shares left out."""
    return ", ".join(finding.code for finding in summary.findings if finding.code not in common)


def method_lines(found: Content) -> list[str]:
    """How energy was read, what watching cost, ceilings, LoadGen's verdicts, how the machine was set."""
    read = [plain(line) for line in energy_lines(row.summary for row in found.rows)]
    lines = [*read, *power_lines(found.runs), *observer_lines(found.runs), *budget_lines(found.runs)]
    driven = mlperf_lines((name(row.summary.case, found), row.summary.mlperf) for row in found.rows)
    lines += [plain(line) for line in (*ceiling_lines(found.runs), *driven)]
    return lines + isolation_lines(found.runs) + reproduction_lines(found.runs)


def power_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The power sources that did not answer in each run that asked for joules and has some, one line a run.

    Where none answered a finding says so.
    """
    return [
        plain(f"no energy{_of(run, runs)} from {'; '.join(run['power']['refused'])}")
        for run in runs
        if (run.get("power") or {}).get("asked") and run["power"]["readable"] and run["power"]["refused"]
    ]


def _of(run: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> str:
    """Which of several runs a line is of."""
    return f" of {run['name']}" if len(runs) > 1 else ""


def observer_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What watching costs in each run, one line each; nothing where it was not measured."""
    lines = []
    for run in runs:
        found = run.get("observer")
        if not found:
            continue
        where = _of(run, runs)
        if found["shift"] is None:
            lines.append(f"observer effect{where}: unknown, {found['reason']}")
            continue
        case = Case.from_json(found["case"])
        lines.append(
            f"observer effect{where}: reading telemetry shifts the median latency by {found['shift']:+.2%} "
            f"(95 % interval {found['low']:+.2%} to {found['high']:+.2%}; {case.model} in "
            f"{case.runtime_label}, {found['rounds']} rounds)"
        )
    return [plain(line) for line in lines]


def reproduction_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which run each one repeats, and what is another one than then; one line each."""
    lines = []
    for run in runs:
        told = run.get("reproduces")
        if told:
            differs = ", ".join(f"{one['kind']} {one['name']}".strip() for one in told["differs"])
            same = f"other {differs}" if differs else "same device, images and artifacts"
            lines.append(f"reproduces{_of(run, runs)} {told['run']} of {told['created_utc']}: {same}")
    return [plain(line) for line in lines]


def budget_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What became of each run's budget, one line each; nothing where there was none."""
    lines = []
    for run in runs:
        found = run.get("budget")
        if found:
            launches, cases = sum(found["extended"].values()), len(found["extended"])
            beyond = (
                f"{_counted(launches, 'launch', 'es')} beyond the plan, of {_counted(cases, 'case', 's')}"
            )
            lines.append(
                f"budget{_of(run, runs)}: {found['spent_s']:.0f} of {found['asked_s']:.0f} s spent to have "
                f"intervals of +-{found['width']:.1%}, {beyond}; "
                f"ended: {found['ended'] or 'not yet'}"
            )
    return lines


def _counted(count: int, word: str, plural: str) -> str:
    return f"{count} {word if count == 1 else word + plural}"


def run_findings(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Findings of runs as a whole, as lines."""
    several = len(runs) > 1
    return [
        f"{item['code']} ({item['severity']}){' in ' + str(run['name']) if several else ''}: "
        f"{plain(item['message'])}. {item['advice']}"
        for run in runs
        for item in run["findings"]
    ]


def skips(found: Content) -> list[str]:
    """``case, case: reason``, cases with equal reasons together."""
    by_reason: dict[str, list[str]] = {}
    for skip in found.skips:
        by_reason.setdefault(skip.reason, []).append(name(skip.case, found))
    return [plain(f"{_listed(cases)}: {reason}") for reason, cases in by_reason.items()]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:LISTED])
    return shown if len(names) <= LISTED else f"{shown} and {len(names) - LISTED} more (see --format csv)"

"""A comparison as GitHub-flavoured Markdown: fits a pull request or ``$GITHUB_STEP_SUMMARY``."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.compare import words
from orchestrator.compare.comparison import Comparison
from orchestrator.compare.condition import Answer
from orchestrator.compare.side import Measured
from orchestrator.report.markdown import escape, table_row

_SIGNS = {"slower": "🔴", "faster": "🟢", "no difference": "⚪", "not comparable": "🟡"}
_GATES = {True: "❌", False: "✅", None: "🟡"}


def render(comparison: Comparison, answers: Sequence[Answer] = ()) -> str:
    """A headline, the conditions, a table of p50, and folded away all other metrics and the provenance."""
    a, b = (escape(side.name) for side in (comparison.a, comparison.b))
    lines = [f"### {escape(words.headline(comparison))}", "", f"A: {a}  ", f"B: {b}", ""]
    lines += [f"- {_GATES[holds]} {escape(text)}" for holds, text in words.gates(answers, comparison)]
    lines += ["", *_main(comparison)] if comparison.cases else []
    lines += _alone("in A alone", comparison, comparison.only_a)
    lines += _alone("in B alone", comparison, comparison.only_b)
    if comparison.cases:
        lines += ["", escape(words.method(comparison))]
        lines += _folded("Other metrics", _others(comparison))
        lines += _folded("Provenance", _provenance(comparison))
    return "\n".join(_once_empty(lines)) + "\n"


def _main(comparison: Comparison) -> list[str]:
    called = words.names(comparison)
    lines = [
        table_row(["case", "p50 of A", "p50 of B", "B to A", "95 % interval", "Mann-Whitney p", "verdict"]),
        table_row([":--", "--:", "--:", "--:", "--:", "--:", ":--"]),
    ]
    for case in comparison.cases:
        judged = case.p50
        texts = [
            words.label(called, case.pair),
            *words.speeds(case),
            words.change(judged),
            words.interval(judged),
            words.rank(judged),
        ]
        told = f"{_SIGNS[judged.verdict]} {escape(words.verdict(judged))}"
        lines.append(table_row([*map(escape, texts), told]))
    return lines


def _others(comparison: Comparison) -> list[str]:
    metrics, called = words.others(comparison), words.names(comparison)
    if not metrics:
        return ["Nothing else is known of both sides."]
    lines = [
        table_row(["case", *(escape(words.title(key, metric)) for key, metric in metrics)]),
        table_row([":--", *("--:" for _ in metrics)]),
    ]
    for case in comparison.cases:
        texts = []
        for key, _ in metrics:
            text, judged = escape(words.cell(case, key)[0]), case.metrics.get(key)
            texts.append(f"**{text}**" if judged and judged.differs else text)
        lines.append(table_row([escape(words.label(called, case.pair)), *texts]))
    return [*lines, "", "Bold: a difference was shown."]


def _provenance(comparison: Comparison) -> list[str]:
    rows = [*words.differing(comparison), *words.unknown(comparison)]
    lines = []
    if rows:
        lines += [table_row(["field", "A", "B", "cases"]), table_row([":--"] * 4)]
    for one, cases in rows:
        where = "all" if len(cases) == len(comparison.cases) else ", ".join(cases)
        lines.append(table_row([one.field, *(escape(text) for text in (*one.sides(), where))]))
    same = ", ".join(words.equal(comparison))
    return [*lines, "", f"The same: {same}." if same else "No field is known to be the same."]


def _alone(where: str, comparison: Comparison, measured: Sequence[Measured]) -> list[str]:
    called = words.names(comparison)
    told = "; ".join(called[one.case.id] for one in measured)
    return ["", escape(f"{len(measured)} {where}: {told}")] if measured else []


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    # GitHub reads Markdown inside HTML only after an empty line.
    return ["", f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _once_empty(lines: Sequence[str]) -> list[str]:
    return [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]

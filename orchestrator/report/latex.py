"""LaTeX tables for a paper, one a model: to be ``\\input``; they need the package booktabs, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any

from orchestrator.domain import CaseSummary
from orchestrator.report import notes, stability
from orchestrator.report.cells import TOO_SMALL, UNKNOWN, Cell
from orchestrator.report.column import Column
from orchestrator.report.table import RUNTIME, Group, Row, content
from orchestrator.report.tex import escape

# What a page has room for; the CSV and Parquet files have every figure.
_FIGURES = ("p50", "95 % interval", "p90", "p99", "verdict", "CV", "launches", "artifact", "drop", "accuracy")
_GROSS = " gross"  # joules by scope: one column each
_UNITS = {"us": "µs", "uJ": "µJ"}
MOST_ROWS = 45  # a float is at most one page long
_ESTIMAND = "latency of one inference, p50 the mean over launches of each launch's median"
_HEAD = (
    "% Made by `inferometer report`; needs \\usepackage{booktabs}. After a verdict a capital says how the",
    "% launches hold together and small letters name the findings it follows from; numbers say why a cell",
    "% is empty, or what a mean hides. All of them are told below their table.",
)


def render(document: Mapping[str, Any]) -> str:
    """A summary document or merged comparison as LaTeX ``table`` floats, longer ones in parts.

    Plain ASCII whatever names and reasons hold. A caption names machine, versions, seed and date.
    """
    found = content(document)
    about = "; ".join(_about(run) for run in found.runs)
    lines = list(_HEAD)
    for group in found.groups:
        parts = [group.rows[start : start + MOST_ROWS] for start in range(0, len(group.rows), MOST_ROWS)]
        for number, rows in enumerate(parts, start=1):
            lines += ["", *_table(group, rows, about, number if len(parts) > 1 else None)]
    if not found.rows:
        lines += ["", "No case was measured."]
    return "\n".join(lines) + "\n"


def _about(run: Mapping[str, Any]) -> str:
    """``x86 (AMD EPYC, Debian ...), engine docker; Inferometer 0.1.0, onnxruntime 1.31.1; seed 0; date``."""
    host = ", ".join(str(value) for value in run["host"].values() if value)
    versions = [f"Inferometer {run['suite']}", f"protocol {run['protocol']}"]
    versions += [f"{runtime} {version}" for runtime, version in (run.get("versions") or {}).items()]
    parts = [
        f"{run['device']} ({host})" if host else str(run["device"]),
        f"engine {', '.join(run['engines']) or 'none'}",
        ", ".join(versions),
        f"seed {run['seed']}",
        *(["quick"] if run["quick"] else []),
        str(run["created_utc"]),
    ]
    return "; ".join(parts)


@dataclass
class _Letters:
    """Letters for findings; all rows of a table share one per code."""

    told: dict[str, tuple[str, set[str]]] = field(default_factory=dict)  # code -> letters, messages

    def mark(self, row: CaseSummary) -> str:
        """``a,c``: the findings of a row that do not merely remark."""
        found = []
        for finding in row.findings:
            if finding.severity.value != "note":
                letters, messages = self.told.setdefault(finding.code, (_letters(len(self.told)), set()))
                messages.add(finding.message)
                found.append(letters)
        return ",".join(sorted(found, key=lambda letters: (len(letters), letters)))

    def lines(self) -> Iterator[tuple[str, str]]:
        """(letters, ``code: message``), the message as an example where rows have several."""
        for code, (letters, messages) in self.told.items():
            message = min(messages)
            example = "" if len(messages) == 1 or message.startswith("e.g. ") else "e.g. "
            yield letters, f"{code}: {example}{message}"


def _letters(number: int) -> str:
    """0 is a, 25 z, 26 aa."""
    before = _letters(number // len(ascii_lowercase) - 1) if number >= len(ascii_lowercase) else ""
    return before + ascii_lowercase[number % len(ascii_lowercase)]


def _table(group: Group, rows: Sequence[Row], about: str, part: int | None) -> list[str]:
    footnotes, letters = notes.Footnotes(), _Letters()
    columns = [*group.varying(), *filter(_is_shown, group.figures)]
    texts = [[_cell(column, row.summary, footnotes, letters) for column in columns] for row in rows]
    titles = [column.title.split("\n") for column in columns]
    told = [
        f"{title} {value}" for title, value in group.constant.items() if title not in ("device", "engine")
    ]
    heading = group.model if part is None else f"{group.model} (part {part})"
    caption = f"{heading}: {_ESTIMAND}. {', '.join(told)}{'. ' if told else ''}{about}."
    label = re.sub(r"[^a-z0-9]+", "-", group.model.lower()).strip("-")
    below = [rf"\textsuperscript{{{mark}}} {escape(text)}" for mark, text in letters.lines()]
    below += [escape(line) for line in footnotes.lines()]
    words = stability.told(row.summary for row in rows)
    below += [f"launches: {words}"] if words else []
    return [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{tab:{label}{'' if part is None else f'-{part}'}}}",
        r"\scriptsize",
        r"\setlength{\tabcolsep}{2pt}",
        rf"\begin{{tabular}}{{@{{}}{''.join('l' if column.left else 'r' for column in columns)}@{{}}}}",
        r"\toprule",
        " & ".join(_title(title[0]) for title in titles) + r" \\",
        " & ".join(_unit(title[1]) if len(title) > 1 else "" for title in titles) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in texts),
        r"\bottomrule",
        r"\end{tabular}",
        *([r"\par\smallskip", r"\raggedright", " \\\\\n".join(below)] if below else []),
        r"\end{table}",
    ]


def _is_shown(column: Column) -> bool:
    name = column.title.split("\n")[0]
    return name in _FIGURES or name.endswith(_GROSS)


def _title(name: str) -> str:
    return escape("runtime" if name == RUNTIME else name)


def _unit(name: str) -> str:
    return f"({escape(_UNITS.get(name, name))})"


def _cell(column: Column, row: CaseSummary, footnotes: notes.Footnotes, letters: _Letters) -> str:
    cell: Cell = column.cell(row)
    if cell.text == TOO_SMALL:  # its footnote says so, and a page is narrow
        cell = Cell(UNKNOWN, cell.note)
    text = escape(footnotes.mark(cell))
    if column.title != stability.VERDICT:
        return text
    # Beside the verdict a letter takes less room than in a column of its own.
    text, marks = " ".join(filter(None, (text, stability.letter(row)))), letters.mark(row)
    return text + (rf"\textsuperscript{{{marks}}}" if marks else "")

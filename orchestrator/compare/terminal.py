"""A comparison on a terminal: a table with its intervals drawn where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.compare import words
from orchestrator.compare.comparison import Comparison
from orchestrator.compare.condition import Answer
from orchestrator.compare.forest import scale_of
from orchestrator.compare.side import Measured, Side
from orchestrator.report.cells import plain
from orchestrator.report.console import Output
from orchestrator.report.grid import GAP, Strip, blocks, total

_STYLES = {
    "slower": "bold red",
    "more": "red",
    "worse": "bold red",
    "faster": "bold green",
    "less": "green",
    "better": "bold green",
    "no difference": "",
    "not comparable": "yellow",
}
_GATES = {True: ("FAIL", "bold red"), False: ("pass", "green"), None: ("????", "yellow")}
_FILE = 160


def show(comparison: Comparison, answers: Sequence[Answer] = (), console: Console | None = None) -> None:
    """Print it; ``console`` is standard output by default."""
    console = console or Output(highlight=False)
    for letter, side in (("A", comparison.a), ("B", comparison.b)):
        console.print(Text.assemble((letter, "bold"), f"  {side.name}", (f"   {_about(side)}", "dim")))
    console.print()
    console.print(Text(words.headline(comparison), "bold"))
    for line in words.shown(comparison):
        console.print(Text(f"  {line}", _STYLES["faster" if " is faster" in line else "slower"]))
    for holds, text in words.gates(answers, comparison):
        word, style = _GATES[holds]
        console.print(Text.assemble(("  gate ", "dim"), (word, style), f"  {text}"))
    if comparison.cases:
        _main(console, comparison)
        _others(console, comparison)
        _provenance(console, comparison)
    for where, measured in (("In A alone", comparison.only_a), ("In B alone", comparison.only_b)):
        _alone(console, where, comparison, measured)
    console.print(Text(words.method(comparison), "dim"))


def _about(side: Side) -> str:
    """Of one run its start, engine and processor; of a merged file how many there are."""
    if len(side.runs) != 1:
        return f"{len(side.runs)} runs"
    run = side.runs[0]
    host = run.get("host") or {}
    told = [str(run.get("created_utc") or "")[:16].replace("T", " "), *run.get("engines", ())]
    return ", ".join(word for word in [*told, run.get("device"), host.get("cpu_model")] if word)


def _main(console: Console, comparison: Comparison) -> None:
    called, scale = words.names(comparison), scale_of([case.p50.ratio for case in comparison.cases])
    cases = comparison.cases
    found = [case.p50 for case in cases]
    styles = [_STYLES[one.verdict] for one in found]
    name = _column("case", [words.label(called, case.pair) for case in cases], left=True)
    speeds = [words.speeds(case) for case in cases]
    figures = [_column(f"p50 of {which}", [both[at] for both in speeds]) for at, which in enumerate("AB")]
    changes = [
        _column("B to A", [words.change(one) for one in found], styles),
        _column("95 % interval", [words.interval(one) for one in found]),
    ]
    verdicts = _column("verdict", [one.verdict for one in found], styles, left=True)
    ranks = _column("M-W p", [words.rank(one) for one in found])
    pictures = []
    if scale:
        drawn = [scale.draw(one.ratio) if one.ratio else "" for one in found]
        pictures = [_column(scale.title, drawn, [style or "cyan" for style in styles], left=True)]
    # Where one table cannot hold all, its second part is the one to be missed.
    columns = [name, *changes, verdicts, *figures, ranks]
    for drawing in ([], pictures):
        whole = [name, *figures, *changes, *drawing, verdicts, ranks]
        if total([column.strip for column in whole]) <= console.width:
            columns = whole
    _tables(console, columns)
    console.print()
    for case in cases:
        if case.p50.remark:
            told = f"  {words.label(called, case.pair)}: {plain(case.p50.remark)}"
            console.print(Text(told, "dim"))


@dataclass(frozen=True)
class _Column:
    strip: Strip
    styles: Sequence[str]


def _column(title: str, texts: Sequence[str], styles: Sequence[str] = (), left: bool = False) -> _Column:
    return _Column(Strip.fitting(title, texts, left), styles or [""] * len(texts))


def _tables(console: Console, columns: Sequence[_Column]) -> None:
    """The columns as one table, or as several below each other, each with the first column."""
    first, styles = columns[0], {id(column.strip): column.styles for column in columns}
    room = console.width - total([first.strip])
    for block in blocks([column.strip for column in columns[1:]], room):
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
        strips = [first.strip, *block]
        for strip in strips:
            table.add_column(Text(strip.title), justify="left" if strip.left else "right", vertical="bottom")
        for row in range(len(first.strip.texts)):
            table.add_row(*(Text(strip.texts[row], styles[id(strip)][row]) for strip in strips))
        console.print()
        console.print(table)


def _others(console: Console, comparison: Comparison) -> None:
    metrics, called = words.others(comparison), words.names(comparison)
    if not metrics:
        return
    names = [words.label(called, case.pair) for case in comparison.cases]
    columns = [_column("B to A", names, left=True)]
    for key, metric in metrics:
        cells = [words.cell(case, key) for case in comparison.cases]
        # A title of several words would make its column wide: an energy's is parted at its commas.
        title = words.title(key, metric)
        title = title.replace(", ", "\n") if ":" in key else title.replace(" ", "\n")
        columns.append(
            _column(title, [text for text, _ in cells], [_STYLES[told] or "dim" for _, told in cells])
        )
    _tables(console, columns)
    console.print()


def _provenance(console: Console, comparison: Comparison) -> None:
    for title, rows in (
        ("Differs", words.differing(comparison)),
        ("Known of one side alone", words.unknown(comparison)),
    ):
        if rows:
            console.print(Text(title, "bold"))
        for one, cases in rows:
            everywhere = len(cases) == len(comparison.cases)
            where = "" if everywhere else f"  ({', '.join(cases)})"
            console.print(Text.assemble(f"  {plain(one.words())}", (where, "dim")))
    same = words.equal(comparison)
    if same:
        console.print(Text(f"The same: {', '.join(same)}", "dim"))


def _alone(console: Console, title: str, comparison: Comparison, measured: Sequence[Measured]) -> None:
    if measured:
        called = words.names(comparison)
        console.print(
            Text.assemble((title, "bold"), f": {', '.join(called[one.case.id] for one in measured)}")
        )


def text(comparison: Comparison, answers: Sequence[Answer] = ()) -> str:
    """The same without colours, for a file."""
    stream = StringIO()
    show(comparison, answers, Console(file=stream, width=_FILE, highlight=False, color_system=None))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"

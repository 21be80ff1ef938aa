"""The page for a browser: one self-refreshing document without scripts or requests of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from orchestrator.domain.text import plain
from orchestrator.watch import words
from orchestrator.watch.state import State

REFRESH_S = 5
LAST = 30  # trials shown
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:60rem;"
    "padding:0 1rem}h1{font-size:1.3rem;margin:.2rem 0}p{margin:.2rem 0}table{border-collapse:collapse;"
    "width:100%}td,th{padding:.15rem .6rem .15rem 0;text-align:left;overflow-wrap:anywhere}"
    "td.n{text-align:right;white-space:nowrap}.bad{color:#c22}progress{width:100%;height:1rem}"
)


def render(state: State | None, folder: str, now_s: float) -> str:
    """The whole document; every text of the folder is escaped."""
    heading = "Waiting for a bench" if state is None else words.headline(state, now_s)
    body = [f"<p>{_text(folder)}</p>"] if state is None else _body(state, now_s)
    refresh = "" if state and state.finished else f'<meta http-equiv="refresh" content="{REFRESH_S}">'
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">' + refresh,
            f"<title>{_text(heading)}</title><style>{_STYLE}</style></head><body>",
            f'<h1 role="status">{_text(heading)}</h1>',
            *body,
            "</body></html>",
            "",
        ]
    )


def _body(state: State, now_s: float) -> list[str]:
    planned = len(state.plan)
    gone = planned - len(state.left())
    cases = []
    for name, case in state.cases.items():
        middle = sorted(case.p50s_ns)[len(case.p50s_ns) // 2] if case.p50s_ns else None
        counts = f"{case.done}/{case.planned}" + (f", {case.failed} failed" if case.failed else "")
        line = words.sparkline(case.p50s_ns)
        cases.append(
            _row([name, counts, words.latency(middle, state.emulated), line], bool(case.failed), (1, 2))
        )
    last = [
        _row(words.trial_line(trial), trial.p50_ns is None, ()) for trial in reversed(state.trials[-LAST:])
    ]
    findings = [f"<li>{_text(line)}</li>" for line in words.findings(state)]
    running = words.now(state, now_s)
    return [
        f"<p>{_text(words.where(state))}</p>",
        f'<progress max="{max(1, planned)}" value="{gone}">{gone} of {planned}</progress>',
        *([f"<p>{_text(running)}</p>"] if running else []),
        *(["<h2>Findings so far</h2><ul>", *findings, "</ul>"] if findings else []),
        "<h2>Cases</h2>",
        *_table(("case", "launches", "median p50", "launch by launch"), cases),
        "<h2>Last trials</h2>",
        *_table(("trial", "outcome", "machine"), last),
    ]


def _table(titles: Sequence[str], rows: Iterable[str]) -> list[str]:
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return [f"<table><thead><tr>{head}</tr></thead><tbody>", *rows, "</tbody></table>"]


def _row(texts: Sequence[str], bad: bool, numbers: Sequence[int]) -> str:
    cells = (
        f'<td class="n">{_text(text)}</td>' if place in numbers else f"<td>{_text(text)}</td>"
        for place, text in enumerate(texts)
    )
    return f"<tr{' class=bad' if bad else ''}>{''.join(cells)}</tr>"


def _text(text: str) -> str:
    return escape(plain(text))

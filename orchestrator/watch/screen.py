"""The page for a terminal: lines that fit it, cut where they do not."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from orchestrator.domain.text import plain
from orchestrator.watch import words
from orchestrator.watch.state import State

_BOLD, _DIM, _RED, _END = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"
_FOOT = "q leaves this page; the bench goes on"


def lines(state: State | None, folder: str, width: int, height: int, now_s: float) -> list[str]:
    """At most ``height`` lines of at most ``width`` columns, styled by escape sequences of our own alone."""
    if state is None:
        return _styled([(plain(f"waiting for a bench in {folder}"), ""), (_FOOT, _DIM)], width)[:height]
    found = [
        (words.headline(state, now_s), _BOLD),
        (words.where(state), _DIM),
        (_bar(state, width), ""),
        (words.now(state, now_s) or "", ""),
        *[(text, _RED if "(invalid)" in text else "") for text in _findings(state)],
        ("", ""),
    ]
    room = max(2, height - len(found) - 3)
    last = min(len(state.trials), max(1, room // 3))
    found += _cases(state, width, room - last)
    found += [("", ""), ("last trials", _BOLD)]
    for trial in reversed(state.trials[-last:] if last else []):
        name, outcome, machine = words.trial_line(trial)
        found.append((f"{name}  {outcome}  {machine}", _RED if trial.p50_ns is None else ""))
    styled = _styled(found, width)[: max(1, height - 1)]
    return [*styled, *_styled([(_FOOT, _DIM)], width)][:height]


def _styled(found: list[tuple[str, str]], width: int) -> list[str]:
    cut = [(text if cell_len(text) <= width else set_cell_size(text, width), style) for text, style in found]
    return [f"{style}{text}{_END}" if style else text for text, style in cut]


def _bar(state: State, width: int) -> str:
    room = max(1, min(60, width - 2))
    planned = max(1, len(state.plan))
    full = room * min(planned, planned - len(state.left())) // planned
    return "█" * full + "░" * (room - full)


def _findings(state: State) -> list[str]:
    found = words.findings(state)
    return [f"findings: {', '.join(found)}"] if found else []


def _cases(state: State, width: int, room: int) -> list[tuple[str, str]]:
    """The cases that ran last where not all have room: one line each, aligned."""
    recent = {trial.case: place for place, trial in enumerate(state.trials)}
    shown = sorted(state.cases, key=lambda name: -recent.get(name, -1))[: max(1, room - 1)]
    order = [name for name in state.cases if name in shown]
    wide = max((cell_len(plain(name)) for name in order), default=0)
    wide = min(wide, max(10, width - 44))
    found = []
    for name in order:
        case = state.cases[name]
        p50 = words.latency(
            sorted(case.p50s_ns)[len(case.p50s_ns) // 2] if case.p50s_ns else None, state.emulated
        )
        counts = f"{case.done}/{case.planned}" + (f" {case.failed} failed" if case.failed else "")
        text = f"{set_cell_size(plain(name), wide)}  {counts:>7}  {p50:>10}  "
        found.append((text + words.sparkline(case.p50s_ns), _RED if case.failed else ""))
    hidden = len(state.cases) - len(order)
    return found + ([(f"and {hidden} more cases", _DIM)] if hidden > 0 else [])

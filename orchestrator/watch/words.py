"""A state in words: the same lines for the terminal's page and the browser's."""

from __future__ import annotations

import time
from collections.abc import Sequence

from orchestrator.domain.text import plain
from orchestrator.watch.state import State, Trial

UNKNOWN = "–"
_BLOCKS = "▁▂▃▄▅▆▇█"


def span(seconds: float) -> str:
    """``3 h 05 min``, ``12 min``, ``40 s``; in steps, so that a page does not change every second."""
    if seconds < 60:
        return f"{round(seconds / 10) * 10:.0f} s" if seconds >= 5 else "a few seconds"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def latency(value_ns: float | None, emulated: bool = False) -> str:
    """``12.3 ms``, ``850 us``; in brackets what an emulator made."""
    if value_ns is None:
        return UNKNOWN
    text = f"{value_ns / 1e6:.4g} ms" if value_ns >= 1e5 else f"{value_ns / 1e3:.4g} us"
    return f"({text})" if emulated else text


def sparkline(values: Sequence[float], most: int = 16) -> str:
    """The last values as blocks between their lowest and highest; flat within 1 %."""
    shown = values[-most:]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if high - low <= 0.01 * high:
        return _BLOCKS[0] * len(shown)
    return "".join(_BLOCKS[min(7, int(8 * (value - low) / (high - low)))] for value in shown)


def headline(state: State, now_s: float) -> str:
    """``12 of 60 trials, 1 failed, about 14 min left``."""
    planned = len(state.plan)
    done = sum(min(case.done, case.planned) for case in state.cases.values())
    beyond = len(state.trials) - done
    parts = [f"{done} of {planned} trials"]
    if beyond > 0:
        parts.append(f"{beyond} beyond the plan")
    if state.failed:
        parts.append(f"{state.failed} failed")
    parts.append(_end(state, now_s))
    return ", ".join(parts)


def _end(state: State, now_s: float) -> str:
    left_s = state.left_s(now_s)
    if state.finished:
        return "finished"
    if left_s is None:
        return "no trial has ended yet"
    if not state.left():
        return "the plan is done; what follows it is not counted"
    if _is_quiet(state, now_s):
        return f"nothing ended for {span(now_s - (state.changed_s or now_s))}: is the bench still running?"
    return f"about {span(left_s)} left"


def _is_quiet(state: State, now_s: float) -> bool:
    """Whether the last trial ended so long ago that the bench may be gone."""
    longest_s = max((trial.wall_s for trial in state.trials[-20:]), default=0.0)
    return bool(state.trials) and now_s - (state.changed_s or now_s) > 4 * longest_s + 60


def now(state: State, now_s: float) -> str | None:
    """``now: x86/.../t1#2, launch 3 of 5, since 14:03:20 UTC``; None between trials."""
    found = state.flight
    if found is None:
        return None
    head = "begun, and not ended" if _is_quiet(state, now_s) else "now"
    head += "" if found.is_certain else ", by the plan's order"
    beyond = "" if found.launch < found.planned else ", beyond the plan"
    counted = beyond or f" of {found.planned}"
    since = time.strftime("%H:%M:%S", time.gmtime(found.since_s))
    return plain(f"{head}: {found.trial}, launch {found.launch + 1}{counted}, since {since} UTC")


def where(state: State) -> str:
    """``results/DIR · x86 · engine docker``."""
    parts = [state.folder, state.device, f"engine {state.engine}", *(["quick"] if state.quick else [])]
    parts += ["emulated: speeds in brackets say nothing about the board"] if state.emulated else []
    return plain(" · ".join(parts))


def trial_line(trial: Trial) -> tuple[str, str, str]:
    """(id, outcome, machine) of a trial."""
    if trial.p50_ns is None:
        outcome = plain(f"{trial.status}: {trial.reason}" if trial.reason else trial.status)
    else:
        outcome = f"p50 {latency(trial.p50_ns, trial.emulated)}"
    machine = []
    if trial.hottest_c is not None:
        machine.append(f"{trial.hottest_c:.1f} °C")
    if trial.clock_hz is not None:
        machine.append(f"{trial.clock_hz / 1e6:.0f} MHz")
    if trial.power_w is not None:
        machine.append(f"{trial.power_w:.3g} W {trial.power_scope}")
    return plain(trial.id), outcome, plain(" · ".join(machine))


def findings(state: State) -> list[str]:
    """``unstable (suspect) x 3``, gravest first."""
    rank = {"invalid": 0, "suspect": 1, "note": 2}
    told = sorted(state.findings.items(), key=lambda item: (rank.get(item[0][0], 3), -item[1], item[0]))
    return [plain(f"{code} ({severity}) x {count}") for (severity, code), count in told]

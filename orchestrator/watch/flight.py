"""Which trial is in flight: its raw folder says that it began and with what, the plan says which that is.

A trial's folder is there from its launch on; no file in it names the case. So it is known where one case
alone fits, and told as what comes next in the plan where several do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain import Case
from orchestrator.watch.state import Flight, State

_FIRST_LINE = 4096  # bytes; a runner's greeting is shorter


@dataclass(frozen=True)
class Begun:
    """What the raw folder of a trial without a line holds."""

    since_s: float  # Unix time of its launch
    request: Mapping[str, Any]
    sha256: str  # of what it loads
    runtime: str | None  # None until the runner has said it

    def fits(self, case: Case, sha256: str | None) -> bool:
        """Whether it can be a launch of the case, which loaded ``sha256`` before (None: it never ran)."""
        asked = (case.threads, case.batch, case.accelerator, dict(case.options))
        sent = tuple(self.request.get(name) for name in ("threads", "batch", "accelerator", "options"))
        return asked == sent and self.runtime in (None, case.runtime) and sha256 in (None, self.sha256)


def begun(raw: Path, before: Begun | None) -> Begun | None:
    """The trial whose folder ``raw`` is, as far as its files are whole; ``before``: what was seen last."""
    path = raw / "request.json"
    try:
        since_s = path.stat().st_mtime
        if before and before.runtime and before.since_s == since_s:
            return before
        request = json.loads(path.read_bytes())
        return Begun(since_s, request, str(request["model"]["sha256"]), _runtime(raw / "transcript.jsonl"))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there yet, or half written


def _runtime(transcript: Path) -> str | None:
    try:
        with transcript.open("rb") as stream:
            hello = json.loads(stream.readline(_FIRST_LINE))
        return str(hello["runtime"]) if hello["type"] == "hello" else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def flight(found: Begun, state: State, cases: Mapping[str, Case]) -> Flight | None:
    """The trial that ``found`` is; None where the plan is done and no case alone fits."""
    loaded = {trial.case: trial.sha256 for trial in state.trials}
    coming = [(trial, name) for trial, name in state.left() if found.fits(cases[name], loaded.get(name))]
    if coming:
        trial, name = coming[0]
        # A case that never ran may have been passed over, and then the next one that fits is in flight.
        is_certain = name in loaded or len({other for _, other in coming}) == 1
        return Flight(
            trial, int(trial.rpartition("#")[2]), state.cases[name].planned, found.since_s, is_certain
        )
    names = (
        []
        if state.left()
        else [name for name in loaded if name in cases and found.fits(cases[name], loaded[name])]
    )
    if len(names) != 1:
        return None
    launch = 1 + max(trial.launch for trial in state.trials if trial.case == names[0])
    return Flight(f"{names[0]}#{launch}", launch, state.cases[names[0]].planned, found.since_s, True)

"""How far a bench is, from its results folder alone."""

from __future__ import annotations

from typing import Any

from orchestrator.domain import Status
from orchestrator.store import Run


def progress(run: Run) -> dict[str, Any]:
    """How far a bench is, from its files alone."""
    plan = run.header("plan.trials", "plan.settings.launches")["plan"]
    planned, done, extended, failed, last = len(plan["trials"]), 0, 0, 0, None
    for record in run.records():
        beyond = record.launch >= plan["settings"]["launches"]
        done, extended, last = done + (not beyond), extended + beyond, record.trial
        failed += record.status is not Status.OK
    finished = (run.folder / "summary.json").exists()
    return {
        "folder": str(run.folder),
        "planned": planned,
        "done": done,
        "extended": extended,  # launches beyond the plan, of a budget
        "failed": failed,
        "last": last,
        "state": "finished" if finished else "unfinished",
    }

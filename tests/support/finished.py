"""A small finished results folder, as a bench leaves it: two launches of the double."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orchestrator
from orchestrator.engines.process import ProcessEngine
from orchestrator.report.document import conclude
from orchestrator.session import header
from orchestrator.store import Run
from orchestrator.verify.finish import finish
from tests.support import doubles


def measured_run(folder: Path, launches: int = 2) -> Run:
    """Measured, not concluded."""
    settings = replace(doubles.SHORT, launches=launches, observer_rounds=1, observer_block_ns=10_000_000)
    plan = doubles.plan_of([doubles.case()], settings)
    identity = {
        "suite": orchestrator.__version__,
        "device": "board",
        "machine": None,
        "engine": "process",
        "emulated": False,
        "forced": None,
    }
    facts = {"git_commit": "0" * 40, "cpu_model": "Example CPU"}
    run = Run.create(
        folder / "run",
        {**header(plan, identity, facts), "created_utc": "2026-11-20T20:15:00+00:00", "least_launches": 1},
    )
    doubles.session_of(
        plan, doubles.conditions_of(ProcessEngine(doubles.ROOT, folder), settings), folder
    ).run(run)
    return run


def finished_run(folder: Path) -> Run:
    """Measured, concluded, sealed."""
    run = measured_run(folder)
    finish(run, conclude(run))
    return run

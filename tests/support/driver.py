"""A program that runs short trials of the double into a folder, to be killed: ``driver FOLDER CACHE``.

It takes up an unfinished run as a bench does, without what a bench does around it, so that a kill
falls more often between two writes.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from orchestrator.engines.process import ProcessEngine
from orchestrator.session import header, restore
from orchestrator.store import Run
from tests.support import doubles

CASES = 8
SETTINGS = replace(doubles.SHORT, launches=16, min_duration_ns=1_000_000, warmup_cap=4, idle_ns=0)


def main() -> None:
    """Print ``go`` when ready and ``end`` when every trial has its record."""
    folder, cache = map(Path, sys.argv[1:])
    plan = doubles.plan_of([doubles.case(latency_ns=str(1000 + n)) for n in range(CASES)], SETTINGS)
    conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, cache), SETTINGS)
    print("go", flush=True)
    if (folder / "run.json").exists():
        run = Run.open(folder)
        plan, _ = restore(run, plan)
    else:
        run = Run.create(folder, {**header(plan, {}, {}), "sources": []})
    doubles.session_of(plan, conditions, cache).run(run)
    print("end", flush=True)


if __name__ == "__main__":
    main()

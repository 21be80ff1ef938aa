"""What a resumed run may not do: go on with another artifact, or make things ready between trials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain import InferometerError, Trial
from orchestrator.engines.process import ProcessEngine
from orchestrator.plan import interleave
from orchestrator.session import Session, header
from orchestrator.store import Run
from tests.support import doubles


def session(cache: Path, launches: int) -> Session:
    settings = replace(doubles.SHORT, launches=launches)
    plan = doubles.plan_of([doubles.case()], settings)
    return doubles.session_of(
        plan, doubles.conditions_of(ProcessEngine(doubles.ROOT, cache), settings), cache
    )


def test_another_artifact_than_the_run_began_with_is_refused(tmp_path: Path) -> None:
    first = session(tmp_path, 1)
    run = Run.create(tmp_path / "run", header(first.plan, {}, {}))
    first.run(run)
    again = session(tmp_path, 2)
    load = doubles.load()
    again._loads[doubles.case().id] = replace(load, artifact=replace(load.artifact, sha256="0" * 64))
    with pytest.raises(InferometerError, match="another one than this run began with; begin anew"):
        again.run(run)
    assert sum(1 for _ in run.records()) == 1


def test_a_whole_round_is_made_ready_before_its_first_trial(tmp_path: Path) -> None:
    cases = [doubles.case(latency_ns=str(1000 + number)) for number in range(3)]
    ordered = session(tmp_path, 2)
    ordered.plan = replace(ordered.plan, trials=interleave(cases, 2, 0))
    told: list[str] = []

    class Telling(doubles.Quiet):
        def trial_starts(self, number: int, total: int, trial: Trial) -> None:
            told.append(trial.case.id)
            assert len(ordered._loads) == len(cases)

    ordered.watcher = Telling()
    ordered.run(Run.create(tmp_path / "run", header(ordered.plan, {}, {})))
    assert len(told) == 2 * len(cases)

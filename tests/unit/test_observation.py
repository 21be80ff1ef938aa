"""The launch that shows what watching costs: chosen, made, taken up again, and told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import observation
from orchestrator.domain import InferometerError, Latency, Status, TrialRecord
from orchestrator.engines.process import ProcessEngine
from orchestrator.report.document import conclude
from orchestrator.report.notes import observer_lines
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles
from tests.support.records import record

SETTINGS = replace(doubles.SHORT, observer_block_ns=60_000_000, observer_rounds=3)


def lasting(p50_ns: float, **changed: Any) -> TrialRecord:
    return replace(record(0), latency=Latency(10, p50_ns, 0.0, p50_ns, 1, 2), **changed)


def test_a_good_trial_of_about_a_millisecond_is_chosen() -> None:
    records = [lasting(5e3), lasting(4e6), lasting(3e8), lasting(1e6, status=Status.CRASHED)]
    assert observation.choose(records) is records[1]
    assert observation.choose([replace(records[0], latency=None)]) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"case": {}}', '{"case": 1, "failure": null, "files": {}}'])
def test_a_damaged_result_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(InferometerError, match=r"result\.json: .*restore it from a copy"):
        observation.effect(tmp_path)


def run_of(folder: Path, settings: Any = SETTINGS, **options: str) -> Run:
    plan = doubles.plan_of([doubles.case(latency_ns="200000", **options)], settings)
    session = doubles.session_of(
        plan, doubles.conditions_of(ProcessEngine(doubles.ROOT, folder), settings), folder
    )
    identity = dict.fromkeys(("machine", "forced")) | {
        "suite": "1.0.0",
        "device": "board",
        "engine": "process",
        "emulated": False,
    }
    path = folder / "run"
    content = {**header(plan, identity, {}), "created_utc": "2026", "least_launches": 1}
    run = Run.open(path) if path.exists() else Run.create(path, content)
    session.run(run)
    return run


@pytest.mark.quiet
def test_every_run_measures_what_watching_costs(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    folder = run.folder / observation.FOLDER
    paused = [
        line["paused"]
        for line in map(json.loads, (folder / "telemetry.jsonl").read_text().splitlines())
        if line["type"] == "block"
    ]
    assert paused[:4] == [False, True, True, False]
    document = conclude(run)
    found = document["run"]["observer"]
    assert found["reason"] is None
    assert found["rounds"] >= 3
    assert found["low"] <= found["shift"] <= found["high"]
    assert "shifts the median latency by" in observer_lines([document["run"]])[0]
    # A second time it is there already.
    before = (folder / "result.json").stat().st_mtime_ns
    run_of(tmp_path)
    assert (folder / "result.json").stat().st_mtime_ns == before
    # What was interrupted is made anew.
    (folder / "result.json").unlink()
    run_of(tmp_path)
    assert (folder / "result.json").exists()


@pytest.mark.quiet
def test_fast_inferences_do_not_end_the_window_before_its_time(tmp_path: Path) -> None:
    run = run_of(tmp_path, replace(SETTINGS, max_iterations=20))
    assert next(run.records()).latency.count <= 20  # type: ignore[union-attr]
    assert conclude(run)["run"]["observer"]["rounds"] >= 3


def test_a_launch_that_failed_says_why(tmp_path: Path) -> None:
    settings = replace(SETTINGS, timeout_s=0.9)  # enough for the trial, not for three rounds
    settings = replace(settings, observer_block_ns=500_000_000)
    found = conclude(run_of(tmp_path, settings))["run"]["observer"]
    assert found["shift"] is None
    assert "observer effect: unknown" in observer_lines([{"observer": found, "name": "x"}])[0]


def test_without_rounds_there_is_no_such_launch(tmp_path: Path) -> None:
    run = run_of(tmp_path, doubles.SHORT)
    assert not (run.folder / observation.FOLDER).exists()
    assert conclude(run)["run"]["observer"] is None


@pytest.mark.parametrize(
    "shift, low, high, told",
    [
        (0.02, 0.01, 0.03, True),
        (-0.02, -0.03, -0.01, True),
        (0.02, -0.01, 0.05, False),  # chance explains it
        (0.009, 0.008, 0.01, False),
        (None, None, None, False),
    ],
)
def test_a_shift_beyond_the_limit_is_a_finding(shift: Any, low: Any, high: Any, told: bool) -> None:
    found = observation.too_large({"shift": shift, "low": low, "high": high})
    assert bool(found) is told
    assert observation.too_large(None) is None

"""A session with a budget: planned rounds, then launches where they narrow most; resumed with the rest."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import allocation, session
from orchestrator.domain import Case, Status, Trial, TrialRecord, Verdict
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import Conditions, Load
from orchestrator.extension import unreached
from orchestrator.files import sha256_file
from orchestrator.plan import Plan, Settings, Wish, interleave
from orchestrator.report import notes
from orchestrator.report.document import conclude
from orchestrator.report.progress import progress
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles, results, transcripts
from tests.support.schemas import check

STEADY, SHAKY, MODED, BROKEN = (doubles.case(seed=name) for name in ("steady", "shaky", "moded", "broken"))
SCATTER = {STEADY.id: 0.001, SHAKY.id: 0.06, MODED.id: 0.001, BROKEN.id: 0.06}
COST_S = 10.0


class Bench:
    """Benches of scripted launches, each of 10 s with the cool-down before it, in one results folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.launched, self.stop_at = folder, list[Trial](), math.inf
        monkeypatch.setattr(session, "execute", self.execute)

    def execute(
        self, trial: Trial, load: Load, target: Any, conditions: Conditions, raw: Path, cooldown: Any
    ) -> TrialRecord:
        if len(self.launched) >= self.stop_at:
            raise KeyboardInterrupt
        self.launched.append(trial)
        lot = random.Random(trial.id)
        p50_ns = 1e6 * math.exp(lot.gauss(0, SCATTER[trial.case.id]))
        p50_ns *= 1.3 if trial.case == MODED and trial.launch % 2 else 1.0
        values = [round(p50_ns * (1 + lot.gauss(0, 0.001))) for _ in range(30)]
        lines = [json.dumps(message) for message in transcripts.run(values)]
        (raw / "transcript.jsonl").write_text("\n".join(lines) + "\n")
        made = results.record(
            trial.case,
            trial.launch,
            values,
            artifact_sha256=load.artifact.sha256,
            wall_ns=round(0.8 * COST_S * 1e9),
            cooldown={"waited_ns": round(0.2 * COST_S * 1e9), "baseline_c": {}, "start_c": {}, "hot": None},
            files={"transcript.jsonl": sha256_file(raw / "transcript.jsonl")},
        )
        if trial.case == BROKEN and trial.launch == 1:
            return replace(made, status=Status.CRASHED, reason="signal SEGV", latency=None, findings=())
        return made

    def run(self, cases: list[Case], budget_s: float | None, **given: Any) -> Run:
        """What the command does; the same one goes on in the same folder."""
        settings = replace(doubles.SHORT, launches=5, quick=False, budget_s=budget_s, **given)
        plan = Plan(Wish("board"), settings, interleave(cases, settings.launches, 0), ())
        if (self.folder / "run.json").exists():
            run = Run.open(self.folder)
        else:
            run = Run.create(self.folder, content_of(plan))
        conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, self.folder / "cache"), settings)
        self.session = doubles.session_of(plan, conditions, self.folder / "cache")
        self.session._prepare = lambda runtime, accelerator: self.session._targets.update(  # type: ignore[method-assign]
            {(runtime, accelerator): None}  # type: ignore[dict-item]
        )
        self.session.run(run)
        return run

    def document(self, run: Run) -> dict[str, Any]:
        """The document, valid under its schema."""
        document = conclude(run, self.session.skips)
        check("summary", document)
        return document


def content_of(plan: Plan) -> Mapping[str, Any]:
    identity = {"suite": "0.1.0", "device": "board", "machine": None, "engine": "process"}
    return {
        **header(plan, {**identity, "emulated": False, "forced": None}, {}),
        "created_utc": "2026-11-20T20:15:00+00:00",
        "least_launches": 5,
        "sources": [],
    }


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path / "run", monkeypatch)


def launches(bench: Bench, case: Case) -> list[int]:
    return [trial.launch for trial in bench.launched if trial.case == case]


def test_what_the_plan_leaves_goes_to_the_case_that_is_wide(bench: Bench) -> None:
    run = bench.run([STEADY, SHAKY, BROKEN], 300.0)
    assert {trial.launch for trial in bench.launched[:15]} == set(range(5))
    for planned_only in (STEADY, BROKEN):
        assert sorted(launches(bench, planned_only)) == list(range(5))
    assert sorted(launches(bench, SHAKY)) == list(range(20))
    found = bench.document(run)["run"]["budget"]
    assert found == {
        "asked_s": 300.0,
        "spent_s": pytest.approx(300.0),
        "width": 0.02,
        "ended": allocation.SPENT,
        "extended": {SHAKY.id: 15},
    }
    state = progress(run)
    assert (state["planned"], state["done"], state["extended"], state["failed"]) == (15, 15, 15, 1)
    [line] = notes.budget_lines([bench.document(run)["run"]])
    assert line.startswith("budget: 300 of 300 s spent to have intervals of +-2.0%, 15 launches beyond")
    assert line.endswith(f"the plan, of 1 case; ended: {allocation.SPENT}")


def test_it_ends_when_all_are_narrow_enough(bench: Bench) -> None:
    run = bench.run([STEADY, SHAKY], 3600.0, width=0.05)
    document = bench.document(run)
    assert document["run"]["budget"]["ended"] == allocation.NARROW
    assert 5 < len(launches(bench, SHAKY)) < 40
    assert document["run"]["budget"]["spent_s"] < 600
    assert not any(f["code"] == "wide_interval" for row in document["cases"] for f in row["findings"])


def test_of_a_moded_case_the_shares_become_known(bench: Bench) -> None:
    run = bench.run([MODED], 3600.0)
    assert bench.document(run)["run"]["budget"]["ended"] == allocation.NARROW
    assert 20 < len(launches(bench, MODED)) < allocation.MOST_LAUNCHES


def test_an_interrupted_bench_goes_on_with_what_is_left(bench: Bench) -> None:
    bench.stop_at = 16
    with pytest.raises(KeyboardInterrupt):
        bench.run([STEADY, SHAKY], 300.0)
    run = Run.open(bench.folder)
    assert bench.document(run)["run"]["budget"] == {
        "asked_s": 300.0,
        "spent_s": pytest.approx(160.0),
        "width": 0.02,
        "ended": None,
        "extended": {SHAKY.id: 6},
    }
    assert notes.budget_lines([bench.document(run)["run"]])[0].endswith("ended: not yet")
    bench.stop_at = math.inf
    bench.run([STEADY, SHAKY], 300.0)
    assert len(bench.launched) == 30
    assert len({trial.id for trial in bench.launched}) == 30


def test_an_interruption_changes_nothing_of_the_launches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = []
    for stop_at in (math.inf, 13):
        bench = Bench(tmp_path / f"run-{stop_at}", monkeypatch)
        bench.stop_at = stop_at
        if stop_at < math.inf:
            with pytest.raises(KeyboardInterrupt):
                bench.run([SHAKY, MODED], 250.0)
            bench.stop_at = math.inf
        bench.run([SHAKY, MODED], 250.0)
        orders.append([trial.id for trial in bench.launched])
    assert orders[0] == orders[1]


def test_a_budget_too_short_for_the_plan_ends_it_in_its_order(bench: Bench) -> None:
    cases = [STEADY, SHAKY, MODED]
    run = bench.run(cases, 49.0)
    assert bench.launched == list(interleave(cases, 5, 0)[:4])
    document = bench.document(run)
    assert document["run"]["budget"]["ended"] == allocation.SPENT
    assert document["run"]["budget"]["extended"] == {}
    for row in document["cases"]:
        assert "too_few_launches" in {finding["code"] for finding in row["findings"]}


def test_a_case_that_was_not_reached_is_skipped_with_the_reason(bench: Bench) -> None:
    cases = [STEADY, SHAKY, MODED]
    run = bench.run(cases, 5.0)
    assert len(bench.launched) == 1  # one launch is made, whatever it costs
    document = bench.document(run)
    assert [skip["reason"] for skip in document["skips"]] == [unreached(5.0)] * 2
    assert document["run"]["budget"]["ended"] == allocation.SPENT
    run.write_summary(document)
    assert conclude(run) == document


def test_without_a_budget_there_is_a_note_and_nothing_else(bench: Bench) -> None:
    run = bench.run([STEADY, SHAKY], None)
    assert len(bench.launched) == 10
    document = bench.document(run)
    assert document["run"]["budget"] is None
    assert notes.budget_lines([document["run"]]) == []
    rows = {row["case"]["options"]["seed"]: row for row in document["cases"]}
    wide = {seed: [f for f in row["findings"] if f["code"] == "wide_interval"] for seed, row in rows.items()}
    assert wide["steady"] == []
    [found] = wide["shaky"]
    assert found["severity"] == "note"
    assert found["message"].endswith("to either side, wanted are 2.0%")
    assert rows["steady"]["verdict"] != Verdict.INVALID.value


def test_a_first_look_is_not_told_that_it_is_wide(bench: Bench) -> None:
    run = bench.run([SHAKY], None)
    content = run.header()
    content["plan"]["settings"]["quick"] = True
    (run.folder / "run.json").write_text(json.dumps(content))
    [row] = bench.document(run)["cases"]
    assert "wide_interval" not in {finding["code"] for finding in row["findings"]}


def test_runs_of_before_there_were_budgets_are_read(bench: Bench) -> None:
    run = bench.run([STEADY], None)
    content = run.header()
    for name in ("budget_s", "width"):
        del content["plan"]["settings"][name]
    (run.folder / "run.json").write_text(json.dumps(content))
    assert bench.document(run)["run"]["budget"] is None
    plan, _ = session.restore(run, bench.session.plan)
    assert isinstance(plan.settings, Settings)
    assert plan.settings.budget_s is None

"""An offline run of the double, from its order to the curve over its batches in every report."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from orchestrator.cli.bench import plan as plan_command
from orchestrator.cli.perform import order_of
from orchestrator.engines.process import ProcessEngine
from orchestrator.report.document import conclude
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles
from tests.support.schemas import check


def bench(tmp_path: Path) -> Run:
    """A finished run: an inference takes 5 ms whatever its batch, so throughput rises to the end."""
    words = ["--scenario", "offline", "--batch", "1,2,4", "--launches", "3"]
    wish = order_of(plan_command.make_context("plan", words).params, {}).wish
    cases = [replace(doubles.case(latency_ns="5000000", wait="sleep"), batch=batch) for batch in wish.batches]
    settings = replace(doubles.SHORT, launches=3)
    plan = replace(doubles.plan_of(cases, settings), wish=replace(wish, device="board"))
    identity = {"suite": "0.1.0", "device": "board", "machine": None, "engine": "process"}
    content = {
        **header(plan, {**identity, "emulated": False, "forced": None}, {}),
        "created_utc": "2026-11-20T20:15:00+00:00",
        "least_launches": 3,
    }
    run = Run.create(tmp_path / "run", content)
    session = doubles.session_of(
        plan, doubles.conditions_of(ProcessEngine(doubles.ROOT, tmp_path), settings), tmp_path
    )
    load = doubles.load()  # the double loads anything: exporting for larger batches is another test's
    artifact = replace(load.artifact, reference=None, labels=None)
    session._loads.update({case.id: replace(load, artifact=artifact) for case in cases})
    session.run(run)
    return run


def inferometer(*words: str) -> str:
    command = [sys.executable, "-m", "orchestrator", *words]
    done = subprocess.run(command, cwd=doubles.ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_offline_run_has_its_curve_and_explanations(tmp_path: Path) -> None:
    run = bench(tmp_path)
    document = conclude(run)
    check("summary", document)
    assert document["run"]["scenario"] == "offline"
    (curve,) = document["curves"]
    assert curve["kind"] == "batch" and [point["x"] for point in curve["points"]] == [1, 2, 4]
    # Four times, had this machine nothing else to do.
    assert 2 < curve["points"][2]["speed_up"] < 8
    assert curve["reason"] == "throughput still rises at batch 4, the most that was measured"
    table = " ".join(inferometer("report", str(run.folder)).split())
    assert "offline" in table and "digits-cnn fake (5000000, sleep) over batch: 1 " in table
    markdown = inferometer("report", str(run.folder), "--format", "md")
    assert "### Scaling" in markdown and "over batch: 1 " in markdown
    told = json.loads(inferometer("explain", str(run.folder), "--case", "/b4/", "--json"))
    assert [row["case"] for row in told] == ["board/fake/digits-cnn/nq/b4/t1/latency_ns=5000000/wait=sleep"]
    assert "peak and bandwidth of fake on cpu with 1 thread" in told[0]["roofline"]["reason"]
    assert "limit unknown: peak and bandwidth" in inferometer("explain", str(run.folder))

"""One long window from a launch to its summary and its picture; the minutes are made short."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from orchestrator import wire
from orchestrator.domain import Status
from orchestrator.engines.process import ProcessEngine
from orchestrator.findings import Code
from orchestrator.plan import sustained
from orchestrator.report.course import course
from orchestrator.report.document import conclude
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles
from tests.support.schemas import check

MINUTE_NS = 200_000_000


def bench(tmp_path: Path, seconds: float, **fields: int) -> Run:
    """A finished run of the double with one window so long."""
    settings = replace(sustained(doubles.SHORT, seconds), **fields)  # type: ignore[arg-type]
    plan = doubles.plan_of([doubles.case(latency_ns="1000000", wait="sleep")], settings)
    conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, tmp_path), settings)
    identity = {"suite": "0.1.0", "device": "board", "machine": None, "engine": "process"}
    content = {
        **header(plan, {**identity, "emulated": False, "forced": None}, {}),
        "created_utc": "2026-11-20T20:15:00+00:00",
        "least_launches": 5,
    }
    run = Run.create(tmp_path / "run", content)
    doubles.session_of(plan, conditions, tmp_path).run(run)
    return run


def test_a_long_window_becomes_a_curve(tmp_path: Path) -> None:
    run = bench(tmp_path, 1.1)
    (record,) = run.records()
    assert record.status is Status.OK
    document = conclude(run)
    check("summary", document)
    (row,) = document["cases"]
    assert row["sustained"]["reason"] == "the window holds 0 full minutes, 2 are needed"
    assert row["sustained"]["cut"] is None
    assert {one["code"]: one["severity"] for one in row["findings"]}[Code.TOO_FEW_LAUNCHES.code] == "note"
    with (run.raw(0) / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    telemetry = run.raw(0) / "telemetry.jsonl"
    found = course(record, transcript, telemetry, 1_100_000_000, MINUTE_NS)
    assert found is not None and found.ratio is not None
    assert (found.first_minute, found.last_minute, len(found.minutes)) == (1, 5, 6)
    assert sum(minute.iterations for minute in found.minutes) == row["count"]
    assert (found.clock_source is None) is (found.clock_reason is not None)
    assert (found.temperature_source is None) is (found.temperature_reason is not None)
    run.write_summary(document)
    command = [sys.executable, "-m", "orchestrator", "curve", str(run.folder)]
    done = subprocess.run(command, cwd=doubles.ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{run.folder / 'curve.svg'}\n"), done.stderr
    assert "the window holds 0 full minutes" in (run.folder / "curve.svg").read_text("utf-8")


def test_a_window_that_its_iterations_end_says_so(tmp_path: Path) -> None:
    (row,) = conclude(bench(tmp_path, 60.0, max_iterations=100))["cases"]
    assert "of 1 minutes, at 100 inferences" in row["sustained"]["cut"]
    assert "window_cut" in {finding["code"] for finding in row["findings"]}


def test_readings_of_another_clock_are_left_out_with_the_reason(tmp_path: Path) -> None:
    run = bench(tmp_path, 0.5)
    (record,) = run.records()
    with (run.raw(0) / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    refused = replace(record, telemetry={"telemetry": {"reason": "boot id differs: runner a, telemetry b"}})
    found = course(refused, transcript, run.raw(0) / "telemetry.jsonl", 0, MINUTE_NS)
    assert found is not None and found.minutes[0].p50_ns
    assert found.clock_reason == found.temperature_reason == "boot id differs: runner a, telemetry b"
    assert (found.clock_source, found.temperature_source, found.power) == (None, None, ())

"""One trial: whatever a runner writes, the answer is a record and never an exception."""

from __future__ import annotations

import json
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from orchestrator.domain import Part, Status, TrialRecord, Verdict
from orchestrator.engines.launch import Target
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import container_name, execute
from orchestrator.findings import verdict
from orchestrator.session import exit_code
from tests.support import doubles, transcripts

TRIAL = doubles.plan_of([doubles.case()]).trials[0]


def executed(folder: Path, script: str, **load: Any) -> TrialRecord:
    """A trial of a shell script instead of a runner, without telemetry."""
    conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, folder), interval_s=None)
    raw = folder / "raw"
    raw.mkdir()
    loaded = replace(doubles.load(), **load)
    return execute(TRIAL, loaded, Target("shell", f"/bin/sh\0-c\0{script}"), conditions, raw)


def said(folder: Path, messages: list[dict[str, Any]], before: str = "", **load: Any) -> TrialRecord:
    """A trial of a runner that says exactly this."""
    path = folder / "said.jsonl"
    path.write_bytes(b"".join(transcripts.lines(messages)))
    return executed(folder, f"{before}cat {path}", **load)


@pytest.mark.parametrize("emulated", [False, True])
def test_a_record_says_whether_it_was_emulated(tmp_path: Path, emulated: bool) -> None:
    conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, tmp_path), interval_s=None)
    record = execute(
        TRIAL,
        doubles.load(),
        Target("shell", "/bin/sh\0-c\0true"),
        replace(conditions, emulated=emulated),
        tmp_path,
    )
    assert record.emulated is emulated


@settings(max_examples=80, deadline=None)
@given(transcripts.damaged())
def test_whatever_it_says_becomes_a_record(messages: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        record = said(Path(folder), messages)
    assert record.status is not Status.OK  # these marks are of another time
    assert record.reason
    assert len(record.reason.splitlines()) == 1
    line = json.dumps(record.to_json())
    assert TrialRecord.from_json(json.loads(line)) == record


def test_a_whole_transcript_becomes_figures(tmp_path: Path) -> None:
    """Marks lie 0.3 s ahead, and the runner says them 0.6 s from now."""
    began_ns = time.monotonic_ns() + 300_000_000
    messages = transcripts.run([100, 300, 200, 400], outputs=[[0.5] * 10], began_ns=began_ns)
    record = said(tmp_path, messages, "sleep 0.6; ")
    assert (record.status, record.reason, record.exit_code) == (Status.OK, None, 0)
    assert record.latency is not None
    assert (record.latency.count, record.latency.mean_ns) == (4, 250.0)
    assert (record.latency.min_ns, record.latency.max_ns, record.latency.p50_ns) == (100, 400, 250.0)
    assert record.first_ns == 5000
    assert record.phases_ns == dict.fromkeys(transcripts.PHASES, 10_000)
    assert record.loop_overhead_ns == (10_000 - 1000) / 4
    assert record.harness_p50_ns == 40
    assert record.steady is True
    assert record.placement == {"requested": "cpu", "executed": {"cpu": 1}, "notes": []}
    assert record.versions["runtime"] == "1.2.3"
    assert record.parity is not None
    assert record.parity.max_abs_difference is None  # one of 360 outputs came
    assert record.accuracy is not None
    assert record.accuracy.total == 360
    assert record.memory is not None
    assert record.memory.vm_hwm_bytes == 4096
    assert record.wall_ns >= 500_000_000


def test_a_runner_that_keeps_its_outputs_back_is_scored_as_it_answered(tmp_path: Path) -> None:
    """No output at all is no reason to ask for none: a row without parity would look like a good one."""
    messages = transcripts.run([100], outputs=[[0.5] * 10], began_ns=time.monotonic_ns() + 300_000_000)
    messages = [message for message in messages if message["type"] != "outputs"]
    record = said(tmp_path, messages, "sleep 0.6; ")
    assert (record.status, record.reason) == (Status.OK, None)
    assert record.parity is not None
    assert (record.parity.top1_equal, record.parity.max_abs_difference) == (0, None)
    assert verdict(record.findings) is Verdict.INVALID
    assert exit_code([record], []) == 3


@pytest.mark.parametrize("is_lowered", [False, True])
def test_less_precision_that_was_asked_for_is_no_mismatch(tmp_path: Path, is_lowered: bool) -> None:
    reference = doubles.load().artifact.reference
    assert reference is not None
    outputs = [[v * 1.01 for v in row] for row in json.loads(reference.read_bytes())["outputs"]]
    messages = transcripts.run([100], outputs=outputs, began_ns=time.monotonic_ns() + 300_000_000)
    record = said(tmp_path, messages, "sleep 0.6; ", is_lowered=is_lowered)
    assert record.parity is not None and record.parity.top1_equal == 360
    assert ("parity_mismatch" in [finding.code for finding in record.findings]) is not is_lowered


def test_marks_of_another_time_are_refused(tmp_path: Path) -> None:
    record = said(tmp_path, transcripts.run([100]))
    assert record.status is Status.PROTOCOL
    assert record.reason == "phase marks lie outside the time the host saw the runner alive"


def test_the_request_reaches_the_runner_as_one_line(tmp_path: Path) -> None:
    executed(tmp_path, f"cat > {tmp_path / 'heard'}")
    heard = (tmp_path / "heard").read_bytes()
    assert heard == (tmp_path / "raw/request.json").read_bytes()
    request = json.loads(heard)
    assert heard.count(b"\n") == 1
    assert request["protocol"] == 1
    load = doubles.load()
    assert request["model"] == {"path": str(load.path), "format": "onnx", "sha256": load.sha256}
    assert request["threads"] == 1
    assert request["measure"]["min_iterations"] == doubles.SHORT.min_iterations
    assert request["outputs"] is True


def test_a_runner_sees_only_what_a_process_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    executed(tmp_path, f"env > {tmp_path / 'seen'}")
    names = {line.split("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert "PYTHONPATH" in names
    assert "OMP_NUM_THREADS" not in names


def test_container_names_are_unique_and_fit_docker() -> None:
    names = {container_name(TRIAL) for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", name) for name in names)


def test_parts_are_summarised_apart(tmp_path: Path) -> None:
    messages = transcripts.run([100, 300], outputs=[[0.5] * 10], began_ns=time.monotonic_ns() + 300_000_000)
    place = next(n for n, message in enumerate(messages) if message["type"] == "footprint")
    messages.insert(place, {"type": "parts", "name": "compute", "values_ns": [10, 20, 40]})
    record = said(tmp_path, messages, "sleep 0.6; ")
    assert record.status is Status.OK, record.reason
    assert record.parts == (Part("compute", 3, 20),)
    assert record.latency is not None and record.latency.count == 2
    assert TrialRecord.from_json(json.loads(json.dumps(record.to_json()))) == record

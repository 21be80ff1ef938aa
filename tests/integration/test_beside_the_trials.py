"""ONNX Runtime's container says what it could do at most, and LoadGen drives it. Takes about 20 seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.domain import Case
from orchestrator.engines.cores import split_cores
from orchestrator.engines.place import here
from orchestrator.report.document import conclude
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import containers, doubles
from tests.support.schemas import check

pytestmark = [pytest.mark.docker, pytest.mark.runtimes, pytest.mark.slow]

IDENTITY: dict[str, Any] = dict.fromkeys(("machine", "forced")) | {
    "suite": "1.0.0",
    "device": "board",
    "engine": "docker",
    "emulated": False,
}
SETTINGS = replace(
    doubles.SHORT, probe_ns=100_000_000, loadgen="SingleStream", loadgen_ns=300_000_000, timeout_s=60.0
)


def bench(folder: Path, **settings: Any) -> dict[str, Any]:
    wanted = replace(SETTINGS, **settings)
    case = Case("board", "onnxruntime", doubles.MODEL)
    plan = doubles.plan_of([case], wanted)
    conditions = doubles.conditions_of(containers.engine(), wanted, None)
    session = doubles.session_of(plan, conditions, cache_root())
    content = {**header(plan, IDENTITY, {}), "created_utc": "2026", "least_launches": 1}
    run = Run.create(folder, content)
    session.run(run)
    document = conclude(run)
    check("summary", document)
    return document


def test_a_container_has_ceilings_and_a_verdict_of_loadgens(tmp_path: Path) -> None:
    document = bench(tmp_path / "run")
    (row,), (ceiling,) = document["cases"], document["run"]["ceilings"]
    assert ceiling["reason"] is None
    assert "openblas" in ceiling["method"]
    # Slower than one operation in 10 ns, or faster than any processor, would be a wrong count.
    assert 1e8 < ceiling["flop_per_s"] < 1e13
    assert 1e8 < ceiling["bandwidth_bytes_per_s"] < 1e12
    assert 0 <= ceiling["flop_spread"] < 1
    request = json.loads((tmp_path / "run/ceilings/onnxruntime-cpu-t1/request.json").read_bytes())
    assert request == {"protocol": 1, "threads": 1, "accelerator": "cpu", "duration_ns": 100_000_000}
    (stored,) = (tmp_path / "run/ceilings").glob("*/result.json")
    place = here()
    assert json.loads(stored.read_bytes())["cores"] == list(split_cores(place.cores, 1, place.root)[0])

    told = row["mlperf"]
    assert told["reason"] is None
    assert (told["scenario"], told["verdict"], told["reasons"]) == ("SingleStream", "VALID", [])
    assert told["metric"] == "90.0th percentile latency"
    # Its clock surrounds ours, and a percentile of 90 is no lower than the median.
    assert told["value_ns"] >= told["p50_ns"] > 0
    assert told["settings"]["min_duration_ms"] == 300
    raw = (tmp_path / "run/loadgen/0/transcript.jsonl").read_text().splitlines()
    (message,) = [line for line in map(json.loads, raw) if line["type"] == "loadgen"]
    assert "MLPerf Results Summary" in message["summary"]


def test_offline_counts_samples(tmp_path: Path) -> None:
    (row,) = bench(tmp_path / "run", loadgen="Offline", probe_ns=0)["cases"]
    told = row["mlperf"]
    assert (told["metric"], told["verdict"]) == ("Samples per second", "VALID")
    # One inference answers one sample, and LoadGen's overhead makes it no faster.
    assert 0 < told["value_per_s"] <= 1.5e9 / told["p50_ns"]

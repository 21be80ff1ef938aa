"""A results folder as a bench leaves it, of any size: header, records, transcripts, telemetry, hashes.

Launch effects and noise are drawn from a seeded generator; every byte follows from the arguments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.domain import Case, Memory, Parity, Skip, Status, Trial, TrialRecord
from orchestrator.findings import trial_findings
from orchestrator.plan import FULL, Plan, Wish, interleave
from orchestrator.session import header
from orchestrator.statistics.latency import launch_latency
from orchestrator.store import Run

DEVICE = "x86"
_RUNTIMES = ("onnxruntime", "pytorch", "tflite", "armnn")
_SECOND_NS = 1_000_000_000
_TICKS = 6  # seconds with readings, as of a launch of a few seconds
_SOURCES = (
    ("process.vm_rss", "process_tree", "sampled", "bytes", 318_107_648),
    ("cgroup.memory_current", "container", "sampled", "bytes", 432_123_904),
    ("host.cpu_busy", "host", "counter", "ns", 53_234_960_000_000),
    ("thermal.x86_pkg_temp", "thermal_zone", "sampled", "c", 61),
    ("cpufreq.policy0", "clock_domain", "sampled", "hz", 2_400_000_000),
    ("rapl.package-0", "cpu_package", "counter", "j", 1_000),
)


def write(folder: Path, cases: int, launches: int, iterations: int) -> Run:
    """A whole run without its summary; ``iterations`` are those of each launch's window."""
    order = interleave(_cases(cases), launches, 0)
    skips = (Skip(Case(DEVICE, "tensorrt", "model-000"), f"{DEVICE} has no NVIDIA GPU"),)
    plan = Plan(Wish(DEVICE), FULL, tuple(order), skips)
    run = Run.create(folder, _header(plan))
    with run.trials_path.open("w", encoding="utf-8") as stream:
        for number, trial in enumerate(order):
            raw = run.begin(number)
            record = _launch(raw, number, trial, iterations)
            stream.write(json.dumps(record.to_json(), separators=(",", ":"), sort_keys=True) + "\n")
    return run


def _cases(count: int) -> list[Case]:
    found = []
    for number in range(count):
        rest, runtime = divmod(number, len(_RUNTIMES))
        mode = (("mode", "eager"),) if _RUNTIMES[runtime] == "pytorch" else ()
        found.append(
            Case(DEVICE, _RUNTIMES[runtime], f"model-{rest // 4:03d}", "nq", 1, 1 + rest % 4, options=mode)
        )
    return found


def _header(plan: Plan) -> dict[str, Any]:
    identity = {
        "suite": "0.1.0",
        "device": DEVICE,
        "forced": None,
        "machine": "c" * 64,
        "tuned": {},
        "engine": "docker",
        "remote": False,
        "emulated": False,
        "runtimes": {name: f"inferometer/{name}:0123456789ab" for name in _RUNTIMES},
    }
    facts = {"cpu_model": "Example CPU @ 2.60GHz", "os": "Debian GNU/Linux 12", "kernel": "6.1.0"}
    power: dict[str, Any] = {"readable": ["rapl"], "refused": {}, "why": None, "beside": [], "widths_ns": {}}
    return {
        **header(plan, identity, {**facts, "memory_cgroup": True, "isolation": None}),
        "notes": [],
        "created_utc": "2026-11-20T20:15:00+00:00",
        "sources": ["cgroup", "process", "thermal@2"],
        "power": power,
        "least_launches": FULL.launches,
    }


def _launch(raw: Path, number: int, trial: Trial, iterations: int) -> TrialRecord:
    """Write the raw files of a launch; returns its record."""
    random = np.random.default_rng(number)
    centre = 1e6 * (1 + int(hashlib.sha256(trial.case.id.encode()).hexdigest()[:4], 16) / 65536)
    noise = 0.01 * random.normal(size=iterations) + 0.01 * random.exponential(size=iterations)
    values: list[int] = (centre * (1 + 0.01 * random.normal() + noise)).astype(int).tolist()
    begun_ns = number * 100 * _SECOND_NS
    files = {
        "request.json": json.dumps({"command": "run", "threads": trial.case.threads}) + "\n",
        "stderr.log": "",
        "telemetry.jsonl": _lines(_readings(begun_ns, random)),
        "transcript.jsonl": _lines(_messages(begun_ns, values, random)),
    }
    for name, text in files.items():
        (raw / name).write_text(text)
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    record = TrialRecord(
        trial.id,
        trial.case,
        trial.launch,
        Status.OK,
        None,
        "docker",
        "2026-11-20T20:15:00+00:00",
        9 * _SECOND_NS,
        exit_code=0,
        versions={"suite": "0.1.0", "protocol": "1.2.0", "sdk": "1.2.0", "runtime": "1.31.1"},
        image="sha256:" + "0" * 64,
        artifact_sha256=hashlib.sha256(trial.case.model.encode()).hexdigest(),
        artifact={
            "format": "onnx",
            "bytes": 102_230_000,
            "weights": "random(0)",
            "weights_reason": "offline",
        },
        cores=(3,),
        phases_ns={"import": 300_000_000, "load": 84_000_000, "measure": sum(values)},
        steady=True,
        first_ns=2 * values[0],
        harness_p50_ns=180.0,
        loop_overhead_ns=310.0,
        latency=launch_latency(values),
        memory=Memory(
            container_peak_bytes=231 * 2**20,
            container_peak_method="cgroup_peak",
            vm_hwm_bytes=224 * 2**20,
            load_vm_hwm_bytes=180 * 2**20,
        ),
        parity=Parity(4, 4, 4.8e-6),
        placement={"requested": "cpu", "executed": {"CPUExecutionProvider": 122}, "notes": []},
        telemetry={"telemetry": {"reason": None, "interval_ns": _SECOND_NS}, **_summaries()},
        files=hashes,
    )
    return TrialRecord(**{**vars(record), "findings": trial_findings(record, values)})


def _lines(messages: Iterator[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(message, separators=(",", ":")) + "\n" for message in messages)


def _messages(begun_ns: int, values: list[int], random: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {
        "type": "hello",
        "protocols": ["1.2.0"],
        "sdk": "1.2.0",
        "runtime": "fake",
        "version": "1.31.1",
        "accelerators": ["cpu"],
        "clock": {"boot_id": "0", "time_namespace": "time:[1]", "t_ns": begun_ns},
    }
    t_ns = begun_ns
    for phase in ("import", "load", "first", "warmup", "measure", "outputs"):
        yield {"type": "phase", "name": phase, "edge": "start", "t_ns": t_ns}
        t_ns += sum(values) + 310 * len(values) if phase == "measure" else 300_000_000
        yield {"type": "phase", "name": phase, "edge": "end", "t_ns": t_ns}
    for phase, series in (("first", [2 * values[0]]), ("warmup", values[:40]), ("measure", values)):
        yield {"type": "latencies", "phase": phase, "start": 0, "values_ns": series}
    for index in range(8):
        row = random.normal(size=10).tolist()
        yield {"type": "outputs", "index": index, "shape": [1, 10], "values": row}
    yield {"type": "placement", "requested": "cpu", "nodes": [], "notes": [], "executed": {"cpu": 122}}
    yield {"type": "done", "iterations": len(values)}


def _readings(begun_ns: int, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    clock = {"boot_id": "0", "time_namespace": "time:[1]", "t_ns": begun_ns}
    yield {"type": "clock", **clock, "interval_ns": _SECOND_NS}
    for tick in range(_TICKS):
        for source, scope, method, unit, value in _SOURCES:
            t_ns = begun_ns + tick * _SECOND_NS // 2
            told = value * (1 + 0.01 * random.random())
            about = {"source": source, "scope": scope, "method": method, "unit": unit, "reason": None}
            yield {"type": "reading", **about, "value": told, "t0_ns": t_ns, "t1_ns": t_ns + 100_000}
    yield {"type": "end", "cause": "eof", "ticks": _TICKS, "missed": 0}


def _summaries() -> dict[str, Any]:
    """What the record says of each source."""
    return {
        source: {
            "scope": scope,
            "method": method,
            "unit": unit,
            "count": _TICKS,
            "coverage": 1.0,
            "max_gap_ns": _SECOND_NS,
            "reason": None,
            "reasons": {},
            **dict.fromkeys(("min", "max", "mean", "first", "last"), value),
        }
        for source, scope, method, unit, value in _SOURCES
    }

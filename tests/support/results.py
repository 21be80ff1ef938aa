"""Realistic records, summaries and documents, made by the same functions that a run uses."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from orchestrator.domain import Case, Memory, Parity, Score, Skip, Status, TrialRecord
from orchestrator.findings import Circumstances, case_findings, trial_findings, verdict
from orchestrator.merge import Facts, summarise, summary_document
from orchestrator.statistics.latency import launch_latency

RANDOM_WEIGHTS_REASON = "download.pytorch.org could not be reached"


def case(
    runtime: str = "onnxruntime", model: str = "resnet50", mode: str = "", device: str = "x86", **fields: Any
) -> Case:
    """A case; ``mode`` becomes its only option."""
    return Case(device, runtime, model, options=(("mode", mode),) if mode else (), **fields)


def window(p50_ns: float, launch: int, count: int = 500, between: float = 0.01, seed: int = 0) -> list[int]:
    """Raw latencies of a launch: a launch effect, noise and a few slow iterations."""
    random = np.random.default_rng([seed, launch, round(p50_ns)])
    centre = p50_ns * (1 + between * random.normal())
    values: list[int] = (
        (centre * (1 + 0.01 * random.normal(size=count) + 0.02 * random.exponential(size=count)))
        .astype(int)
        .tolist()
    )
    return values


def record(which: Case, launch: int, values: list[int], **fields: Any) -> TrialRecord:
    """A good trial with its findings."""
    base = TrialRecord(
        f"{which.id}#{launch}",
        which,
        launch,
        Status.OK,
        None,
        "docker",
        "2026-11-20T20:15:00+00:00",
        9_000_000_000,
        exit_code=0,
        versions={"suite": "0.1.0", "protocol": "1.0.0", "sdk": "1.0.0", "runtime": "1.31.1"},
        image="sha256:" + "0" * 64,
        artifact_sha256="a" * 64,
        cores=(3,),
        phases_ns={"import": 300_000_000, "load": 84_000_000 + launch * 1_000_000, "measure": 5_000_000_000},
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
        telemetry={"telemetry": {"reason": None, "interval_ns": 1_000_000_000}},
        files={"transcript.jsonl": "b" * 64},
    )
    made = replace(base, **fields)
    return replace(made, findings=trial_findings(made, values))


def failed(which: Case, launch: int, status: Status = Status.OOM, reason: str | None = None) -> TrialRecord:
    """A trial that gave no figure."""
    return TrialRecord(
        f"{which.id}#{launch}", which, launch, status, reason, "docker", "2026-11-20T20:16:00+00:00", 10**9
    )


def summary(
    which: Case,
    p50_ns: float | None,
    *,
    launches: int = 5,
    count: int = 500,
    between: float = 0.01,
    modes: tuple[float, ...] = (1.0,),
    circumstances: Circumstances | None = None,
    facts: Facts | None = None,
    **fields: Any,
) -> Any:
    """A case summary as a run concludes it; without ``p50_ns`` every launch failed."""
    given = circumstances or Circumstances(weights="random(0)", weights_reason=RANDOM_WEIGHTS_REASON)
    windows: list[list[int]] = []
    if p50_ns is None:
        reason = "killed for lack of memory in phase load, limit of 2147483648 bytes; use a smaller model"
        records = [failed(which, launch, reason=reason) for launch in range(launches)]
    else:
        windows = [
            window(p50_ns * modes[launch % len(modes)], launch, count, between) for launch in range(launches)
        ]
        records = [record(which, launch, values, **fields) for launch, values in enumerate(windows)]
    found = case_findings(records, given)
    known = facts or Facts(int(97.5 * 2**20), given.weights)
    return summarise(which, records, windows, found, verdict(found), known)


def header(name: str = "results/20261120T201500Z-x86", device: str = "x86", **fields: Any) -> dict[str, Any]:
    """The header of a run."""
    return {
        "name": name,
        "suite": "0.1.0",
        "protocol": "1.0.0",
        "created_utc": "2026-11-20T20:15:00+00:00",
        "device": device,
        "machine": "0" * 64,
        "host": {"cpu_model": "Example CPU @ 2.60GHz", "kernel": "6.1.0"},
        "engines": ["docker"],
        "seed": 0,
        "quick": False,
        "findings": [],
        **fields,
    }


def artifact(
    model: str = "resnet50", format_: str = "onnx", sha256: str = "a" * 64, **fields: Any
) -> dict[str, Any]:
    """An artifact of a document."""
    return {
        "model": model,
        "variant": "nq",
        "batch": 1,
        "format": format_,
        "sha256": sha256,
        "bytes": 102_230_000,
        "weights": "random(0)",
        **fields,
    }


def document(**fields: Any) -> dict[str, Any]:
    """A run with all that can happen: modes, failures, unknown figures, skips; ``fields`` of its header."""
    made: dict[str, Any] = json.loads(_document())
    made["run"].update(fields)
    return made


@lru_cache
def _document() -> str:
    trained = Circumstances(weights="trained", reference=Score(358, 360), no_power_source=_NO_POWER)
    random = Circumstances(
        weights="random(0)", weights_reason=RANDOM_WEIGHTS_REASON, no_power_source=_NO_POWER
    )
    scored: dict[str, Any] = {
        "circumstances": trained,
        "accuracy": Score(358, 360),
        "facts": Facts(45_000, "trained"),
        "parity": Parity(12, 12, 1.2e-6),
    }
    cases = [
        summary(case("onnxruntime", "digits-cnn"), 31_500, count=4000, **scored),
        summary(case("pytorch", "digits-cnn", "eager"), 182_000, count=4000, **scored),
        summary(case("pytorch", "digits-cnn", "aot"), 44_100, count=4000, **scored),
        summary(case("tflite", "digits-cnn"), 21_700, count=4000, **scored),
        summary(case("onnxruntime"), 38.2e6, count=130, circumstances=random),
        summary(case("pytorch", mode="eager"), 71.9e6, count=70, modes=(1.0, 1.3), circumstances=random),
        summary(case("pytorch", mode="channels_last"), 66.1e6, count=76, between=0.15, circumstances=random),
        summary(case("pytorch", mode="aot"), None, circumstances=random),
        summary(
            case("tflite"),
            95.3e6,
            count=52,
            circumstances=random,
            memory=Memory(vm_hwm_bytes=190 * 2**20, reasons={"container_peak_bytes": "runs in no container"}),
            parity=None,
        ),
    ]
    skips = [
        Skip(case("pytorch", model, "compiled"), "option mode=compiled needs g++; apt-get install g++")
        for model in ("resnet50", "digits-cnn")
    ]
    artifacts = [
        artifact(),
        artifact(format_="tflite", sha256="c" * 64),
        artifact("digits-cnn", weights="trained"),
    ]
    return json.dumps(summary_document(header(), cases, artifacts, skips))


_NO_POWER = "no power source is read by this version"

"""One trial: telemetry on, launch, transcript, record. Everything is computed after the runner ended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator import environment, measurement, scoring, wire
from orchestrator.artifacts import Artifact
from orchestrator.catalog import Cooldown
from orchestrator.diagnosis import diagnose
from orchestrator.domain import Energy, Finding, Part, Status, Trial, TrialRecord
from orchestrator.energy import Windows, energy_of
from orchestrator.engines.cores import split_cores
from orchestrator.engines.launch import Engine, Handle, Launch, Mount, Outcome, Target, Watch
from orchestrator.engines.place import Place
from orchestrator.files import sha256_file
from orchestrator.findings import heat_findings, heat_unobserved, of_sustained, trial_findings
from orchestrator.measurement.memory import memory
from orchestrator.plan import Settings
from orchestrator.statistics.latency import launch_latency
from orchestrator.statistics.quantiles import median

CONTAINER_PREFIX = "inferometer"


@dataclass(frozen=True)
class Conditions:
    """What stays the same for all trials of one session."""

    engine: Engine
    settings: Settings
    place: Place
    memory_bytes: int | None
    watch: Watch | None = Watch()  # None: no telemetry
    cooldown: Cooldown | None = None  # None: nothing waits for the machine to cool
    emulated: bool = False
    emulator: Mapping[str, str] = field(default_factory=dict)  # environment of what stands in for a processor
    driver: Mapping[str, Any] | None = (
        None  # who issues the inferences of the window; None: the runner's loop
    )


@dataclass(frozen=True)
class Load:
    """What one trial loads: the artifact, or what was compiled from it on this machine."""

    artifact: Artifact
    path: Path
    format: str
    sha256: str
    build_ns: int | None = None  # what compiling took, whenever that was
    is_lowered: bool = False  # the runtime was asked for less precision than the model's


def execute(
    trial: Trial,
    load: Load,
    target: Target,
    conditions: Conditions,
    raw: Path,
    cooldown: Mapping[str, Any] | None = None,
) -> TrialRecord:
    """Launch once and describe what happened; failures become records, never exceptions.

    ``cooldown``: how cool the machine was made for it.
    """
    case, settings = trial.case, conditions.settings
    theirs, ours = split_cores(conditions.place.cores, case.threads, conditions.place.root)
    inputs = load.artifact.inputs
    if inputs.parent == load.path.parent:
        mounts = [Mount(inputs.parent, "model", names=(load.path.name, inputs.name))]
    else:
        mounts = [
            Mount(load.path.parent, "model", names=(load.path.name,)),
            Mount(inputs.parent, "inputs", names=(inputs.name,)),
        ]
    request = wire.Request(
        "run",
        model={
            "path": f"{conditions.engine.see(mounts[0])}/{load.path.name}",
            "format": load.format,
            "sha256": load.sha256,
        },
        inputs=f"{conditions.engine.see(mounts[-1])}/{inputs.name}",
        threads=case.threads,
        batch=case.batch,
        accelerator=case.accelerator,
        options=dict(case.options),
        warmup={
            "window": settings.warmup_window,
            "cap": settings.warmup_cap,
            "max_duration_ns": settings.warmup_max_ns,
            "settle": settings.settle,
        },
        idle_ns=settings.idle_ns,
        idle_after_ns=settings.idle_after_ns,
        measure={
            "min_duration_ns": settings.min_duration_ns,
            "min_iterations": settings.min_iterations,
            "max_iterations": settings.max_iterations,
        },
        driver=conditions.driver,
        outputs=bool(load.artifact.reference or load.artifact.labels or load.artifact.images),
    )
    (raw / "request.json").write_bytes(request.line())
    launch = Launch(
        name=container_name(trial),
        target=target.target,
        command="run",
        request=request.line(),
        stdout=raw / "transcript.jsonl",
        stderr=raw / "stderr.log",
        timeout_s=settings.timeout_s,
        mounts=tuple(mounts),
        cores=theirs,
        memory_bytes=conditions.memory_bytes,
        accelerator=case.accelerator,
    )
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with nullcontext() if conditions.place.remote else confined(ours):
        outcome = _observed(conditions, launch, raw / "telemetry.jsonl", ours)
    with (raw / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    status, reason = diagnose(outcome, transcript, settings.timeout_s, conditions.memory_bytes)
    record = TrialRecord(
        trial.id,
        case,
        trial.launch,
        status,
        reason,
        conditions.engine.name,
        started,
        outcome.ended_ns - outcome.started_ns,
        emulated=conditions.emulated,
        exit_code=outcome.exit_code,
        versions=_versions(transcript),
        image=target.digest,
        artifact_sha256=load.artifact.sha256,
        artifact={**load.artifact.to_json(), "compiled": _compiled(load)},
        cores=theirs,
        cooldown=cooldown,
        files={path.name: sha256_file(path) for path in sorted(raw.iterdir())},
    )
    contained = conditions.engine.name == "docker"
    lines = measurement.read_lines(raw / "telemetry.jsonl")
    record = replace(record, **_measured(transcript, load, case.batch, lines, contained))
    values = transcript.latencies("measure")
    record = replace(record, energy=joules(transcript, lines, record.telemetry, settings.min_duration_ns))
    fallback = measurement.fallback(transcript.placement) if transcript.placement else None
    is_sustained = settings.sustained_ns > 0
    found = trial_findings(record, values, fallback, is_sustained)
    found += _heat(record, transcript, lines, conditions.place)
    return replace(record, findings=of_sustained(found) if is_sustained else found)


def _heat(
    record: TrialRecord, transcript: wire.Transcript, lines: Sequence[measurement.Line], place: Place
) -> tuple[Finding, ...]:
    """What slowed the window from outside; nothing of an emulator's, nor without a common clock."""
    window, refused = transcript.window("measure"), record.telemetry[measurement.PROGRAM]["reason"]
    if record.emulated or record.status is not Status.OK or refused or window is None:
        return ()
    may_boost = environment.boosts(place.arch, place.root)
    found = heat_findings(lines, window, record.case.accelerator, len(record.cores), may_boost)
    return found + heat_unobserved(lines, window)


def _compiled(load: Load) -> dict[str, Any] | None:
    """What was made of the artifact on this machine and loaded in its stead."""
    if load.build_ns is None:
        return None
    size = load.path.stat().st_size
    return {"format": load.format, "sha256": load.sha256, "bytes": size, "build_ns": load.build_ns}


@contextmanager
def confined(cores: tuple[int, ...]) -> Iterator[None]:
    """Keep this process on some cores; what it does between trials (compiling) may use all again."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def container_name(trial: Trial) -> str:
    """A name Docker takes, readable in ``docker ps``."""
    slug = "".join(char if char.isascii() and char.isalnum() else "-" for char in trial.id)
    return f"{CONTAINER_PREFIX}-{slug}-{time.monotonic_ns():x}"


def _observed(conditions: Conditions, launch: Launch, telemetry: Path, cores: tuple[int, ...]) -> Outcome:
    """Launch with the telemetry program beside it, where the runner runs, on ``cores``."""
    stop: Callable[[], None] | None = None

    def start(handle: Handle) -> None:
        nonlocal stop
        if conditions.watch:
            stop = conditions.engine.observe(handle.pid, replace(conditions.watch, cores=cores), telemetry)

    telemetry.touch()
    try:
        return conditions.engine.launch(launch, start)
    finally:
        if stop is not None:
            stop()


def _versions(transcript: wire.Transcript) -> dict[str, str | None]:
    hello = transcript.hello or {}
    return {
        "suite": orchestrator.__version__,
        "protocol": wire.PROTOCOL,
        "sdk": hello.get("sdk"),
        "runtime": hello.get("version"),
        "runtime_name": hello.get("runtime"),
    }


def _measured(
    transcript: wire.Transcript, load: Load, batch: int, lines: Sequence[measurement.Line], contained: bool
) -> dict[str, Any]:
    fields = figures(transcript, lines, contained)
    if transcript.outputs or transcript.done:  # a runner that kept them back scores as it answered
        fields |= _scored(transcript, load, batch)
    return fields


def figures(
    transcript: wire.Transcript, lines: Sequence[measurement.Line], contained: bool
) -> dict[str, Any]:
    """The fields of a record that follow from its transcript, complete or not, and telemetry alone.

    ``contained``: whether the runner ran in a container. What is absent stays None.
    """
    values = transcript.latencies("measure")
    first = transcript.latencies("first")
    window = transcript.window("measure")
    clock = (transcript.hello or {}).get("clock", {})
    fields: dict[str, Any] = {
        "phases_ns": {name: pair[1] - pair[0] for name, pair in transcript.marks.items() if len(pair) == 2},
        "steady": transcript.steady,
        "first_ns": first[0] if first else None,
        "harness_p50_ns": median(transcript.harness_ns) if transcript.harness_ns else None,
        "latency": launch_latency(values) if values else None,
        "parts": tuple(Part(name, len(ns), median(ns)) for name, ns in transcript.parts_ns.items() if ns),
        "placement": _brief(transcript.placement),
        "telemetry": measurement.observe(lines, clock, window),
        "memory": memory(transcript.footprint, lines, transcript.marks, clock, contained),
    }
    if values and window:
        fields["loop_overhead_ns"] = (window[1] - window[0] - sum(values)) / len(values)
    return fields


def joules(
    transcript: wire.Transcript, lines: Sequence[measurement.Line], cut: Mapping[str, Any], asked_ns: int
) -> tuple[Energy, ...]:
    """The energy of a window that was asked to last ``asked_ns`` at least; ``cut``: the record's telemetry.

    Nothing where readings cannot be laid on the runner's marks; telemetry's own entry says why.
    """
    if cut[measurement.PROGRAM]["reason"]:
        return ()
    window = transcript.window
    windows = Windows(window("measure"), window("idle"), window("idle_after"), asked_ns)
    return energy_of(lines, windows, len(transcript.latencies("measure")))


def _brief(placement: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if placement is None:
        return None
    return {name: placement.get(name) for name in ("requested", "executed", "notes")}


def _scored(transcript: wire.Transcript, load: Load, batch: int) -> dict[str, Any]:
    artifact, fields = load.artifact, dict[str, Any]()
    signature = (transcript.model or {}).get("outputs") or [{}]
    if artifact.reference:
        reference = json.loads(artifact.reference.read_bytes())["outputs"]
        quantization = signature[0].get("quantization")
        is_exact = not artifact.lossy and not load.is_lowered  # else top-1 is what can be asked for
        tolerance, least = scoring.FLOAT_TOLERANCE if is_exact else None, None
        if artifact.lossy:
            least = scoring.least_equal(artifact.told["top1_equal"], artifact.told["total"])
        parity = scoring.compare(transcript.outputs, reference, batch, quantization, tolerance, least)
        fields["parity"] = parity
    if artifact.labels:
        fields["accuracy"] = scoring.score(transcript.outputs, json.loads(artifact.labels.read_bytes()))
    return fields

"""A results folder as a summary document, computed from its raw data each time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import (
    ceilings,
    explain,
    extension,
    findings,
    loadgen,
    merge,
    observation,
    power,
    scaling,
    second_opinion,
    wire,
)
from orchestrator.domain import Case, CaseSummary, InferometerError, Score, Size, Skip, Status, TrialRecord
from orchestrator.energy import case_energy
from orchestrator.findings import Circumstances
from orchestrator.report.course import course
from orchestrator.report.processor import processor_of
from orchestrator.store import Run

# Told the number of a trial, its record, and of a good one what its runner said.
Seen = Callable[[int, TrialRecord, wire.Transcript | None], None]
_TO_COME = "not measured yet: the bench is unfinished, and the same command goes on with it"
_HEADER_FIELDS = (
    "created_utc",
    "least_launches",
    "environment",
    *(f"identity.{name}" for name in ("suite", "device", "machine", "engine", "emulated", "forced")),
    *(f"plan.{name}" for name in ("settings.quick", "settings.launches", "skips", "wish.seed")),
)


def conclude(run: Run, skips: Sequence[Skip] | None = None, seen: Seen | None = None) -> dict[str, Any]:
    """The summary document of a run, finished or not.

    ``skips`` are those that arose while running; None takes them from an earlier summary, if any. ``seen`` is
    called for every trial: raw data is read once, also where somebody else needs it.
    """
    header = run.header(*_HEADER_FIELDS)
    groups: dict[str, list[tuple[int, TrialRecord]]] = {}
    for number, record in enumerate(run.records()):
        groups.setdefault(record.case.id, []).append((number, record))
    observed = observation.effect(run.folder / observation.FOLDER)
    rows = [
        _row(run, header, sorted(group, key=lambda item: item[1].launch), observed, seen)
        for group in groups.values()
    ]
    driven = loadgen.results(run.folder)
    rows = [replace(row, mlperf=driven.get(row.case.id)) for row in rows]
    records = [record for group in groups.values() for _, record in group]
    planned = [Skip(Case.from_json(item["case"]), item["reason"]) for item in header["plan"]["skips"]]
    arisen = _arisen(run, header, groups) if skips is None else list(skips)
    every = list(dict.fromkeys([*planned, *arisen]))
    settled = [skip for skip in every if skip.reason != _TO_COME]
    document = merge.summary_document(
        {
            **_head(run, header, records),
            "observer": observed,
            "power": _power(header),
            "budget": extension.account(header, records, rows, settled),
            "ceilings": ceilings.found(run.folder),
            "versions": _versions(records),
        },
        merge.with_drops(rows),
        _artifacts(records),
        every,
    )
    return explain.explained({**document, "curves": scaling.curves(document["cases"])})


def _arisen(run: Run, header: Mapping[str, Any], measured: Mapping[str, Any]) -> list[Skip]:
    path = run.folder / "summary.json"
    if not path.exists():
        planned = dict.fromkeys(Case.from_json(item["case"]) for item in header["plan"].get("trials", ()))
        return [Skip(case, _TO_COME) for case in planned if case.id not in measured]
    document = merge.read_document(str(path), path.read_bytes())
    return [Skip(Case.from_json(item["case"]), item["reason"]) for item in document["skips"]]


def _row(
    run: Run,
    header: Mapping[str, Any],
    group: Sequence[tuple[int, TrialRecord]],
    observed: Mapping[str, Any] | None,
    seen: Seen | None,
) -> CaseSummary:
    records = [record for _, record in group]
    settings, identity = header["plan"]["settings"], header["identity"]
    asked_ns = settings.get("sustained_ns", 0)  # absent in runs of older versions
    windows, curve, said = [], None, None
    for number, record in group:
        transcript = _transcript(run, number, record) if record.status is Status.OK else None
        if seen:
            seen(number, record, transcript)
        if transcript:
            windows.append(transcript.latencies("measure"))
            said = said or transcript
            if asked_ns and curve is None:
                telemetry, _ = _checked(run, number, record, "telemetry.jsonl")
                curve = course(record, transcript, telemetry, asked_ns)
    artifact = next((record.artifact for record in records if record.artifact), {})
    reference = artifact.get("reference")
    circumstances = Circumstances(
        quick=settings["quick"],
        least_launches=settings["launches"] if settings["quick"] else header["least_launches"],
        weights=artifact.get("weights"),
        weights_reason=artifact.get("weights_reason"),
        reference=Score(**reference) if reference else None,
        calibration_synthetic=(artifact.get("facts") or {}).get("calibration") == "synthetic",
        training_cut=artifact.get("training_cut"),
        emulated=identity["emulated"],
        forced_device=identity["forced"],
        cgroup_memory_disabled=identity["engine"] == "docker"
        and header["environment"].get("memory_cgroup") is False,
        no_power_source=_no_power(header, records),
        energy_missing=_no_joules(header, records),
        power_disagrees=second_opinion.disagreement(run.opinions().values()),
        observer_effect=observation.too_large(observed),
        sustained=asked_ns > 0,
        window_cut=curve.cut if curve else None,
        tuned=",".join(f"{knob}={value}" for knob, value in identity.get("tuned", {}).items()) or None,
    )
    found = findings.case_findings(records, circumstances)
    loaded = artifact.get("compiled") or artifact
    facts = merge.Facts(
        loaded.get("bytes"),
        artifact.get("weights"),
        identity["emulated"],
        curve,
        _size(artifact),
        merge.execution(records, said.placement, said.model) if said else None,
    )
    row = merge.summarise(records[0].case, records, windows, found, findings.verdict(found), facts)
    return extension.wide(row, settings)


def _size(artifact: Mapping[str, Any]) -> Size | None:
    if not artifact:
        return None  # no launch came to load one
    known = ("deflated_bytes", "parameters", "nonzero_parameters", "macs")  # not in older runs
    return Size(artifact["format"], artifact["bytes"], **{name: artifact.get(name) for name in known})


def _no_power(header: Mapping[str, Any], records: Sequence[TrialRecord]) -> str | None:
    """Why there is no power source at all; a source without a figure has a reason of its own."""
    surveyed = header.get("power")  # runs of older versions asked nobody
    if surveyed:
        return power.why_none(surveyed)
    read = any(record.energy for record in records)
    return None if read else "no power source was read, so there are no joules"


def _asked(header: Mapping[str, Any]) -> bool:
    """Whether joules were asked for."""
    wish = header["plan"]["wish"]
    return bool(wish.get("energy") or wish.get("meters"))


def _no_joules(header: Mapping[str, Any], records: Sequence[TrialRecord]) -> str | None:
    """Why no source gave a figure, where joules were asked for and some launch was good."""
    ok = [record for record in records if record.status is Status.OK]
    figures = case_energy(ok)
    if not ok or not _asked(header) or any(one.gross_per_inference_j is not None for one in figures):
        return None
    by_reason: dict[str, list[str]] = {}
    for one in figures:
        by_reason.setdefault(one.reason or "no reason given", []).append(one.source)
    told = "; ".join(f"{', '.join(sources)}: {reason}" for reason, sources in by_reason.items())
    return told or "telemetry read no power source"


def _power(header: Mapping[str, Any]) -> dict[str, Any] | None:
    """Which power sources answered, for the run's head; None in runs of older versions."""
    surveyed = header.get("power")
    if not surveyed:
        return None
    return {
        "asked": _asked(header),
        "readable": surveyed["readable"],
        "refused": power.refusals(surveyed),
    }


# Most bytes of a transcript, and no figure of a row is made of them: the record holds what they showed.
_OUTPUTS = b'{"type":"outputs"'


def _transcript(run: Run, number: int, record: TrialRecord) -> wire.Transcript:
    path, content = _checked(run, number, record, "transcript.jsonl")
    transcript = wire.read(line for line in io.BytesIO(content) if not line.startswith(_OUTPUTS))
    if transcript.violation or not transcript.latencies("measure"):
        raise InferometerError(f"{path}: {transcript.violation or 'no latencies'}; restore it from a copy")
    return transcript


def _checked(run: Run, number: int, record: TrialRecord, name: str) -> tuple[Path, bytes]:
    """A raw file of a trial and its content, as the trial wrote it."""
    path = run.raw(number) / name
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InferometerError(
            f"{path}: cannot be read: {problem.strerror}; restore it from a copy"
        ) from None
    if hashlib.sha256(content).hexdigest() != record.files.get(name):
        raise InferometerError(f"{path}: is not what the trial wrote (SHA-256); restore it from a copy")
    return path, content


def _artifacts(records: Sequence[TrialRecord]) -> list[dict[str, Any]]:
    found = {}
    for record in records:
        case, artifact = record.case, record.artifact
        if record.artifact_sha256 and artifact:
            key = (case.model, case.variant, case.batch, artifact["format"])
            found[key] = {
                "model": case.model,
                "variant": case.variant,
                "batch": case.batch,
                "format": artifact["format"],
                "sha256": record.artifact_sha256,
                "bytes": artifact["bytes"],
                "weights": artifact["weights"],
            }
    return list(found.values())


def _versions(records: Sequence[TrialRecord]) -> dict[str, str]:
    """By runtime the version that its launches said; several where it changed under way."""
    found: dict[str, set[str]] = {}
    for record in records:
        version = record.versions.get("runtime")
        if version:
            found.setdefault(record.case.runtime, set()).add(version)
    return {runtime: ", ".join(sorted(versions)) for runtime, versions in sorted(found.items())}


def _protocol(records: Sequence[TrialRecord]) -> str:
    """The protocol of then, not of now; both where a run was gone on with after an update."""
    spoken = {said for record in records if (said := record.versions.get("protocol"))}
    return ", ".join(sorted(spoken)) or wire.PROTOCOL


def _head(run: Run, header: Mapping[str, Any], records: Sequence[TrialRecord]) -> dict[str, Any]:
    identity, plan, facts = header["identity"], header["plan"], header["environment"]
    return {
        "name": run.folder.resolve().name,  # of "." it is empty
        "suite": identity["suite"],
        "protocol": _protocol(records),
        "created_utc": header["created_utc"],
        "device": identity["device"],
        "machine": identity["machine"],
        "host": {name: facts.get(name) for name in ("cpu_model", "os", "kernel")},
        "engines": [identity["engine"]],
        "seed": plan["wish"]["seed"],
        "quick": plan["settings"]["quick"],
        "findings": [],
        "isolation": facts.get("isolation"),
        "reproduces": header.get("reproduces"),
        "processor": processor_of(facts),
        "scenario": plan["wish"].get("scenario"),
    }


def load(path: Path, seen: Seen | None = None) -> dict[str, Any]:
    """The document of a results folder (from raw data, see :func:`conclude`) or of a comparison's file."""
    if path.is_dir():
        return conclude(Run.open(path), seen=seen)
    try:
        return merge.read_document(str(path), path.read_bytes())
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None

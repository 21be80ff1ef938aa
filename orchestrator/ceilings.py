"""What a container could do at most on this machine: one launch for each number of threads, no model.

Stored raw in ``RUN/ceilings/<runtime>-<accelerator>-t<threads>/``; rates are computed from there each time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import wire
from orchestrator.diagnosis import diagnose
from orchestrator.domain import Case, Status, Trial, TrialRecord
from orchestrator.engines.cores import split_cores
from orchestrator.engines.launch import Launch, Outcome, Target
from orchestrator.execute import Conditions, confined, container_name
from orchestrator.files import sha256_file, sync_folder, write_atomic
from orchestrator.statistics.quantiles import median
from orchestrator.store import Run, launch_beside

FOLDER = "ceilings"  # below a results folder
_TRANSCRIPT = "transcript.jsonl"
_PLACE = {"runtime": str, "accelerator": str, "threads": int}
_UNKNOWN_COMMAND = "command 'probe' is unknown"  # what runners with an SDK of before 1.3.0 answer


@dataclass(frozen=True)
class Place:
    """Whose ceilings: a runtime's container on an accelerator with a number of threads."""

    runtime: str
    accelerator: str
    threads: int

    def folder(self, run: Path) -> Path:
        """Where its raw files lie below a results folder."""
        return run / FOLDER / f"{self.runtime}-{self.accelerator}-t{self.threads}"

    def is_measured(self, run: Path) -> bool:
        """Whether its launch has been made."""
        return (self.folder(run) / "result.json").exists()


def places(records: Iterable[TrialRecord]) -> list[Place]:
    """Where some trial was good, in a fixed order."""
    cases = {record.case for record in records if record.status is Status.OK}
    found = {Place(case.runtime, case.accelerator, case.threads) for case in cases}
    return sorted(found, key=lambda one: (one.runtime, one.accelerator, one.threads))


def measure_all(
    run: Run,
    conditions: Conditions,
    ready: Callable[[str, str], Target | None],
    say: Callable[[str], None],
) -> None:
    """Every launch that is not there yet. ``ready`` makes (runtime, accelerator) ready, or gives None.

    None under an emulator, whose ceilings say nothing of the board.
    """
    if not conditions.settings.probe_ns or conditions.emulated:
        return
    for place in places(run.records()):
        target = None if place.is_measured(run.folder) else ready(place.runtime, place.accelerator)
        if target:
            threads = "1 thread" if place.threads == 1 else f"{place.threads} threads"
            say(f"ceilings of {place.runtime} on {place.accelerator} with {threads}")
            measure(place, target, conditions, run.folder)


def measure(place: Place, target: Target, conditions: Conditions, run: Path) -> None:
    """Launch, and leave request, transcript, log and ``result.json``; what lay there is removed first."""
    folder, settings = place.folder(run), conditions.settings
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    theirs, ours = split_cores(conditions.place.cores, place.threads, conditions.place.root)
    request = wire.Request(
        "probe", threads=place.threads, accelerator=place.accelerator, duration_ns=settings.probe_ns
    )
    (folder / "request.json").write_bytes(request.line())
    case = Case("", place.runtime, FOLDER, accelerator=place.accelerator, threads=place.threads)
    launch = Launch(
        name=container_name(Trial(case, 0)),
        target=target.target,
        command="probe",
        request=request.line(),
        stdout=folder / _TRANSCRIPT,
        stderr=folder / "stderr.log",
        timeout_s=settings.timeout_s,
        cores=theirs,
        memory_bytes=conditions.memory_bytes,
        accelerator=place.accelerator,
    )
    with nullcontext() if conditions.place.remote else confined(ours):
        outcome = conditions.engine.launch(launch, lambda handle: None)
    with launch.stdout.open("rb") as stream:
        reason = _failure(outcome, wire.read(stream), conditions)
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
    result = {**vars(place), "image": target.digest, "cores": theirs, "failure": reason, "files": files}
    write_atomic(folder / "result.json", json.dumps(result, indent=1).encode() + b"\n")
    sync_folder(folder.parent)


def _failure(outcome: Outcome, transcript: wire.Transcript, conditions: Conditions) -> str | None:
    if transcript.done and transcript.probe and not transcript.violation and outcome.exit_code == 0:
        return None
    _, reason = diagnose(outcome, transcript, conditions.settings.timeout_s, conditions.memory_bytes)
    if reason and _UNKNOWN_COMMAND in reason:
        return "the runner knows no probe (protocol before 1.3.0)"
    return reason


def found(run: Path) -> list[dict[str, Any]]:
    """What the launches below a results folder show, computed from their raw files.

    Each ``{runtime, accelerator, threads, flop_per_s, flop_kernel, flop_spread, bandwidth_bytes_per_s,
    bandwidth_kernel, bandwidth_spread, method, notes, reason}``. Rates are None where ``reason`` says why. A
    kernel is the fastest of its kind, a spread how far the median repetition stays below the fastest one.
    Raises InferometerError for a damaged ``result.json``.
    """
    rows = [_row(folder) for folder in sorted((run / FOLDER).glob("*/")) if (folder / "result.json").exists()]
    return sorted(rows, key=lambda row: (row["runtime"], row["accelerator"], row["threads"]))


def _row(folder: Path) -> dict[str, Any]:
    result = launch_beside(folder, _PLACE)
    row: dict[str, Any] = {name: result[name] for name in _PLACE}
    probe: Mapping[str, Any] = {}
    reason = result["failure"] or _changed(folder, result["files"])
    if not reason:
        with (folder / _TRANSCRIPT).open("rb") as stream:
            probe = wire.read(stream).probe or {}
        reason = "; ".join(probe["reasons"].get(name) for name in wire.PROBED if not probe[name]) or None
    rates = {"flop_per_s": "compute", "bandwidth_bytes_per_s": "memory"}
    for name, part in rates.items():
        short = name.split("_")[0]
        peak = best(probe.get(part, ()))
        row[name], row[f"{short}_kernel"], row[f"{short}_spread"] = peak or (None, None, None)
    return {**row, "method": probe.get("method"), "notes": list(probe.get("notes", ())), "reason": reason}


def _changed(folder: Path, files: Mapping[str, str]) -> str | None:
    for name, sha256 in files.items():
        if not (folder / name).is_file() or sha256_file(folder / name) != sha256:
            return f"{folder / name}: is not what the launch wrote (SHA-256); restore it from a copy"
    return None


def best(series: Sequence[Mapping[str, Any]]) -> tuple[float, str, float] | None:
    """``(operations or bytes per second, kernel, spread)`` of the fastest repetition; None of none.

    The maximum and not the median: a ceiling is what the place can do, and whatever disturbs a repetition
    only lengthens it (docs/adr/0022-ceilings.md).
    """
    peaks = [(one["count"] / min(one["values_ns"]) * 1e9, one) for one in series]
    if not peaks:
        return None
    rate, one = max(peaks, key=lambda item: item[0])
    return rate, one["kernel"], 1.0 - min(one["values_ns"]) / median(one["values_ns"])

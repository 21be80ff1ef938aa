"""One launch more of each case, in which MLPerf's LoadGen issues the inferences.

Stored raw in ``RUN/loadgen/<number of the case in the plan>/``; the row is computed from there each time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import wire
from orchestrator.catalog import Runtime
from orchestrator.domain import Case, InferometerError, MlperfResult, Status, Trial
from orchestrator.engines.launch import Target
from orchestrator.execute import Conditions, Load, execute
from orchestrator.files import sha256_file, sync_folder, write_atomic
from orchestrator.loadgen.summary import parse
from orchestrator.plan import MOST_ITERATIONS, Settings
from orchestrator.statistics.quantiles import median
from orchestrator.store import Run, launch_beside

FOLDER = "loadgen"  # below a results folder
SAMPLES_PER_QUERY = 8  # of MultiStream: MLPerf's number
# What LoadGen's early stopping asks for its percentile: 90 % for SingleStream, 99 % for MultiStream.
_QUERIES = {"SingleStream": 64, "MultiStream": 662, "Offline": 1}
_SILENT = "the runner does not know the driver loadgen (protocol before 1.3.0)"


def drive_all(
    run: Run,
    cases: Sequence[Case],
    conditions: Conditions,
    runtimes: Mapping[str, Runtime],
    load: Callable[[Case], Load | str | None],
    say: Callable[[str], None],
) -> None:
    """Every launch that is not there yet, of the cases with a good trial.

    ``cases``: the plan's, in order. ``load`` gives what a case loads, or None or a text where it cannot.
    """
    scenario = conditions.settings.loadgen
    if not scenario or conditions.emulated:
        return
    good = {record.case for record in run.records() if record.status is Status.OK}
    targets: dict[tuple[str, str], Target | str] = {}
    for number, case in enumerate(cases):
        folder = run.folder / FOLDER / str(number)
        loaded = None if case not in good or (folder / "result.json").exists() else load(case)
        if loaded is None or isinstance(loaded, str):
            continue
        key = case.runtime, case.accelerator
        if key not in targets:
            targets[key] = _prepare(runtimes[case.runtime], case.accelerator, conditions, say)
        say(f"LoadGen {scenario}: {case.id} once more")
        _drive(case, loaded, targets[key], conditions, folder)


def _prepare(
    runtime: Runtime, accelerator: str, conditions: Conditions, say: Callable[[str], None]
) -> Target | str:
    try:
        return conditions.engine.prepare(replace(runtime, loadgen=True), say, accelerator)
    except InferometerError as problem:
        return f"no LoadGen for it: {problem}"


def settings_of(asked: Settings) -> Settings:
    """Those of such a launch: no idle times, and time and room for what LoadGen issues."""
    return replace(
        asked,
        min_duration_ns=asked.loadgen_ns,
        max_iterations=MOST_ITERATIONS,
        idle_ns=0,
        idle_after_ns=0,
        timeout_s=asked.timeout_s + 3 * asked.loadgen_ns / 1e9,
    )


def driver_of(settings: Settings) -> dict[str, Any]:
    """The field ``driver`` of the request; PROTOCOL.md section 7."""
    queries = _QUERIES[settings.loadgen]
    return {
        "name": "loadgen",
        "scenario": settings.loadgen,
        "min_duration_ns": settings.loadgen_ns,
        "min_query_count": min(queries, 64) if settings.quick else queries,
        "samples_per_query": SAMPLES_PER_QUERY,
    }


def _drive(case: Case, load: Load, target: Target | str, conditions: Conditions, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asked = conditions.settings
    failure, files, image = None, dict[str, str](), None
    if isinstance(target, str):
        failure = target
    else:
        changed = replace(conditions, settings=settings_of(asked), watch=None, driver=driver_of(asked))
        record = execute(Trial(case, 0), load, target, changed, folder)
        failure, files, image = record.reason, dict(record.files), record.image
    result = {"case": case.to_json(), "scenario": asked.loadgen, "image": image}
    result |= {"failure": failure, "files": files}
    write_atomic(folder / "result.json", json.dumps(result, indent=1).encode() + b"\n")
    sync_folder(folder.parent)


def results(run: Path) -> dict[str, MlperfResult]:
    """By case id what LoadGen says, computed from the raw files below a results folder.

    Raises InferometerError for a damaged ``result.json``.
    """
    return dict(_result(folder) for folder in _stored(run))


def _stored(run: Path) -> Iterable[Path]:
    return [folder for folder in sorted((run / FOLDER).glob("*/")) if (folder / "result.json").exists()]


def _result(folder: Path) -> tuple[str, MlperfResult]:
    stored = launch_beside(folder, {"case": dict, "scenario": str})
    try:
        case, scenario = Case.from_json(stored["case"]), stored["scenario"]
    except (AttributeError, KeyError, TypeError):
        raise InferometerError(
            f"{folder / 'result.json'}: field case is damaged; restore it from a copy"
        ) from None
    reason = stored["failure"] or _changed(folder, stored["files"])
    if reason:
        return case.id, MlperfResult(scenario, reason=reason)
    with (folder / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    told = transcript.loadgen
    if told is None:
        return case.id, MlperfResult(scenario, reason=_SILENT)
    found, values = parse(told["summary"]), transcript.latencies("measure")
    known = found.verdict and found.metric
    return case.id, MlperfResult(
        scenario,
        found.verdict if known else None,
        found.metric,
        found.value_ns,
        found.value_per_s,
        found.early_stopping_ns,
        found.reasons,
        told["settings"],
        told.get("version"),
        median(values) if values else None,
        None if known else "LoadGen's summary holds no verdict",
    )


def _changed(folder: Path, files: Mapping[str, str]) -> str | None:
    for name, sha256 in files.items():
        if not (folder / name).is_file() or sha256_file(folder / name) != sha256:
            return f"{folder / name}: is not what the launch wrote (SHA-256); restore it from a copy"
    return None

"""A bench from its plan to its summary: make ready, launch trial after trial, resume, conclude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from orchestrator import artifacts, ceilings, compiled, exports, loadgen, observation, scoring, wire
from orchestrator.artifacts import Artifact
from orchestrator.catalog import Model, Runtime
from orchestrator.cooling import Cooling
from orchestrator.domain import Case, InferometerError, Skip, Status, Trial, TrialRecord, Verdict
from orchestrator.engines.launch import Target
from orchestrator.execute import Conditions, Load, execute
from orchestrator.extension import Extension
from orchestrator.findings import verdict
from orchestrator.migrations import SCHEMA
from orchestrator.plan import Plan, Settings, to_json
from orchestrator.store import Run
from orchestrator.tuning import Tuning


class Watcher(Protocol):
    """Who is told how a bench goes; called between windows only."""

    def say(self, text: str) -> None:
        """A line about preparation."""

    def trial_starts(self, number: int, total: int, trial: Trial) -> None:
        """A trial is about to be launched."""

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        """A trial is durable."""


@dataclass
class Session:
    """Everything one bench needs; ``own`` holds artifacts of the user's own model files.

    ``tuning`` may be on when ``run`` ends, however it ends: whoever made it switches it off.
    """

    root: Path
    cache: Path
    plan: Plan
    conditions: Conditions
    runtimes: Mapping[str, Runtime]
    models: Mapping[str, Model]
    watcher: Watcher
    own: Mapping[tuple[str, str], Artifact] = field(default_factory=dict)  # (model, format)
    tuning: Tuning = field(default_factory=Tuning)
    skips: list[Skip] = field(default_factory=list)
    _targets: dict[tuple[str, str], Target | InferometerError] = field(default_factory=dict)
    _loads: dict[str, Load | str] = field(default_factory=dict)
    _exported: dict[tuple[str, str, int], str | None] = field(default_factory=dict)  # why it failed, or None

    def run(self, run: Run) -> None:
        """Launch every trial that has no record yet. Raises KeyboardInterrupt after cleaning up."""
        run.repair()
        earlier = list(run.records())
        done = {record.trial for record in earlier}
        artifact_of = {record.case.id: record.artifact_sha256 for record in earlier}
        left = [trial for trial in self.plan.trials if trial.id not in done]
        number, total = len(done), len(self.plan.trials)
        extension, refused = Extension(run, self.plan, self.watcher.say), set[str]()
        cases = {trial.case for trial in left} if extension.budget_s is None else self.plan.cases
        for runtime, accelerator in sorted({(case.runtime, case.accelerator) for case in cases}):
            # All of them first: a build between trials would heat the machine.
            self._prepare(runtime, accelerator)
        cooling = self._cooling(run)
        for position, trial in enumerate(extension.trials(left, refused)):
            if trial.case.id not in self._loads:
                self.tuning.off()  # making ready needs the machine as its owner set it up: its swap, say
                self._load_round(left[position:])
            load = self._load(trial.case)
            if isinstance(load, str):
                refused.add(trial.case.id)
                total -= 1
                continue
            if artifact_of.setdefault(trial.case.id, load.artifact.sha256) != load.artifact.sha256:
                raise InferometerError(
                    f"{run.folder}: the artifact of {trial.case.id} is another one than this run began with; "
                    f"begin anew with another RESULTS folder, or delete {run.folder}"
                )
            self.tuning.on()
            total = max(total, number + 1)  # how many a budget allows nobody knows
            cooldown = cooling.wait() if cooling else None
            self.watcher.trial_starts(number, total, trial)
            raw = run.begin(number)
            record = execute(trial, load, self._target(trial.case), self.conditions, raw, cooldown)
            run.append(record, raw)
            extension.add(record)
            number += 1
            self.watcher.trial_ended(number, total, record)
        self.skips += extension.unseen(self.plan.cases, refused)
        self._observe(run)
        say = self.watcher.say
        ceilings.measure_all(run, self.conditions, self._launch_more, say)
        loadgen.drive_all(run, self.plan.cases, self.conditions, self.runtimes, self._load_more, say)

    def _launch_more(self, runtime: str, accelerator: str) -> Target | None:
        """A runtime that was measured, on the tuned machine; None where it cannot be made ready again."""
        if (runtime, accelerator) not in self._targets:
            self._prepare(runtime, accelerator)
        found = self._targets[runtime, accelerator]
        if isinstance(found, InferometerError):
            return None
        self.tuning.on()
        return found

    def _load_more(self, case: Case) -> Load | str | None:
        ready = self._launch_more(case.runtime, case.accelerator)
        return self._load(case) if ready else None

    def _observe(self, run: Run) -> None:
        """Once a run: what telemetry itself costs. What cannot be launched once more is not observed."""
        folder = run.folder / observation.FOLDER
        settings = self.conditions.settings
        if not settings.observer_rounds or not self.conditions.watch or (folder / "result.json").exists():
            return
        chosen = observation.choose(run.records())
        if chosen is None:
            return
        case = chosen.case
        if self._launch_more(case.runtime, case.accelerator) is None:
            return
        load = self._load(case)
        if isinstance(load, str):
            return
        self.tuning.on()
        self.watcher.say(f"observer effect: {case.id} once more, with telemetry reading and resting by turns")
        trial = Trial(case, chosen.launch)
        observation.observe(trial, load, self._target(case), self.conditions, folder)

    def _cooling(self, run: Run) -> Cooling | None:
        policy, watch = self.conditions.cooldown, self.conditions.watch
        if policy is None or watch is None:
            return None
        return Cooling(self.conditions.engine.sense, watch.sources, policy, run, self.watcher.say)

    def _load_round(self, left: Sequence[Trial]) -> None:
        """Make ready what the first round of these trials loads: no export runs between two of them."""
        for trial in left:
            if trial.launch != left[0].launch:
                return
            self._load(trial.case)

    def _prepare(self, runtime: str, accelerator: str) -> None:
        engine, known = self.conditions.engine, self.runtimes[runtime]
        target: Target | InferometerError
        try:
            target = engine.prepare(known, self.watcher.say, accelerator)
        except InferometerError as problem:
            target = problem  # each of its cases is skipped with this reason
        self._targets[runtime, accelerator] = target

    def _target(self, case: Case) -> Target:
        found = self._targets[case.runtime, case.accelerator]
        if isinstance(found, InferometerError):
            raise found
        return found

    def _load(self, case: Case) -> Load | str:
        """What the case loads, made ready on first use; a string is the reason it cannot be."""
        if case.id not in self._loads:
            try:
                self._loads[case.id] = self._make_ready(case)
            except InferometerError as problem:
                self._loads[case.id] = str(problem)
                self.skips.append(Skip(case, str(problem)))
                self.watcher.say(f"skipped {case.id}: {problem}")
        return self._loads[case.id]

    def _make_ready(self, case: Case) -> Load:
        runtime = self.runtimes[case.runtime]
        target = self._target(case)
        artifact = self._artifact(case, runtime)
        options = dict(case.options)
        made, is_lowered = runtime.compiled_format(options), runtime.is_lowered(options)
        if made is None:
            return Load(artifact, artifact.path, artifact.format, artifact.sha256, is_lowered=is_lowered)
        path, sha256, build_ns = compiled.ensure(
            case, artifact, target, made, self.conditions, self.cache, self.watcher.say
        )
        return Load(artifact, path, made, sha256, build_ns, is_lowered)

    def _artifact(self, case: Case, runtime: Runtime) -> Artifact:
        for format_ in runtime.formats:
            if (case.model, format_) in self.own:
                return self.own[case.model, format_]
        self._export(case)
        model = self.models[case.model]
        folder = artifacts.home(self.root, self.cache, model, case.variant, case.batch)
        for format_ in runtime.formats:
            artifact = artifacts.open_artifact(folder, format_)
            if artifact:
                return artifact
        raise InferometerError(f"{folder} has no artifact in {' or '.join(runtime.formats)}")

    def _export(self, case: Case) -> None:
        """Export what the case loads, and in the same process all else that the plan loads of its model."""
        key = case.model, case.variant, case.batch
        if key not in self._exported:
            others = [
                other.variant
                for other in self.plan.cases
                if (other.model, other.batch) == (case.model, case.batch)
            ]
            variants = tuple(dict.fromkeys([case.variant, *others]))
            failed: dict[str, str] = {}
            try:
                failed = exports.ensure_all(
                    self.root,
                    self.cache,
                    self.models[case.model],
                    variants,
                    case.batch,
                    self.conditions.engine.name,
                    self.watcher.say,
                )
            except InferometerError as problem:
                failed = dict.fromkeys(variants, str(problem))
            for variant in variants:
                self._exported[case.model, variant, case.batch] = failed.get(variant)
        reason = self._exported[key]
        if reason:
            raise InferometerError(reason)


def header(plan: Plan, identity: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``run.json``: what was planned, by which code, on what machine."""
    return {"plan": to_json(plan), "identity": dict(identity), "environment": dict(facts)}


def find_run(results: Path, fingerprint: str, identity: Mapping[str, Any]) -> Path | None:
    """The newest unfinished run below ``results`` of the same plan, code and machine."""
    folders = sorted(results.glob("*/"), reverse=True)
    return next((folder for folder in folders if resumable(folder, fingerprint, identity)), None)


def resumable(folder: Path, fingerprint: str, identity: Mapping[str, Any]) -> bool:
    """Whether a folder holds the same plan, in today's schema, with trials left to do."""
    try:
        run = Run.open(folder)
        content = run.header("plan.fingerprint", "identity")
    except InferometerError:
        return False
    same = content["plan"]["fingerprint"] == fingerprint and content["identity"] == dict(identity)
    same = same and run.schema == SCHEMA  # what is written in one folder is of one schema
    return same and not (folder / "summary.json").exists()


def restore(run: Run, plan: Plan) -> tuple[Plan, tuple[str, ...]]:
    """The plan as its run was begun, and the telemetry sources of its trials.

    The order may differ by what was ready then, windows by which power sources answered. Raises
    InferometerError when ``run.json`` is damaged.
    """
    content = run.header("plan.trials", "plan.settings", "sources")
    order = [Trial(Case.from_json(item["case"]), item["launch"]) for item in content["plan"]["trials"]]
    try:
        settings = Settings(**content["plan"]["settings"])
    except TypeError as problem:
        raise InferometerError(
            f"{run.folder / 'run.json'}: field plan.settings is damaged ({problem}); restore it from a copy"
        ) from None
    begun = replace(plan, trials=tuple(order), settings=settings, asked=plan.asked or plan.settings)
    return begun, tuple(content["sources"])


def exit_code(records: Sequence[TrialRecord], skipped: Sequence[Skip]) -> int:
    """0 when every trial gave a figure, 3 when some failed, are invalid or could not be made ready."""
    failed = any(
        record.status is not Status.OK or verdict(record.findings) is Verdict.INVALID for record in records
    )
    return 3 if failed or skipped else 0


def predictions(run: Run, session: Session) -> list[str]:
    """What the user's own models said of the user's pictures, one line each, from the first good launch."""
    lines, seen = [], set()
    images = {artifact.model: artifact.images for artifact in session.own.values()}
    for number, record in enumerate(run.records()):
        if record.case.model not in images or record.status is not Status.OK or record.case.id in seen:
            continue
        seen.add(record.case.id)
        with (run.raw(number) / "transcript.jsonl").open("rb") as stream:
            outputs = wire.read(stream).outputs
        for index, image in enumerate(images[record.case.model]):
            if index not in outputs:
                continue
            row = scoring.rows(outputs[index], record.case.batch)[0]
            best = scoring.top1(row)
            value = "" if best is None else f" ({row[best]:g})"
            lines.append(
                f"{image}: class {best}{value} by {record.case.model} in {record.case.runtime_label}"
            )
    return lines

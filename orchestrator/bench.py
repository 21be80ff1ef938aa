"""From a wish to a finished results folder: plan, choose the engine, find or make the run, run it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator import artifacts, environment, lock
from orchestrator.artifacts import Artifact
from orchestrator.catalog import Catalog, Device, Model, Runtime
from orchestrator.domain import Case, InferometerError
from orchestrator.engines import images
from orchestrator.engines.launch import Engine, available_cores
from orchestrator.execute import Conditions
from orchestrator.plan import FULL, QUICK, Plan, Settings, Wish, expand, interleave, known, sift
from orchestrator.own import OwnModel, bring_in, inspect, runtime_for
from orchestrator.session import Session, Watcher, find_run, header, restore_order, resumable
from orchestrator.store import Run


RESULTS = Path("results")


@dataclass(frozen=True)
class Order:
    """What the user ordered beside the wish itself."""

    wish: Wish
    engine: str = "auto"
    quick: bool = False
    launches: int | None = None
    timeout_s: float | None = None
    results: Path | None = None  # exactly this folder; None: a new one below results/
    force: bool = False
    own: tuple[OwnModel, ...] = ()


@dataclass(frozen=True)
class Ready:
    """A plan with what it needs to run."""

    plan: Plan
    device: Device
    runtimes: Mapping[str, Runtime]
    models: Mapping[str, Model]
    engine: Engine
    identity: Mapping[str, Any]
    notes: tuple[str, ...]


def settings_of(order: Order, device: Device) -> Settings:
    """The settings an order leads to; the device may ask for more launches than the default."""
    base = QUICK if order.quick else replace(FULL, launches=max(FULL.launches, device.min_launches))
    if order.launches is not None:
        base = replace(base, launches=order.launches)
    if order.timeout_s is not None:
        base = replace(base, timeout_s=order.timeout_s)
    return base


def choose_device(catalog: Catalog, name: str, force: bool) -> Device:
    """The named device, or the one this machine is. Raises InferometerError for a wrong board."""
    devices = catalog.devices()
    if not name:
        found = environment.detect({key: item.profile for key, item in devices.items()})
        if found is None:
            raise InferometerError(
                f"this machine is none of the known devices ({', '.join(devices)}); name one with DEVICE= and --force"
            )
        return devices[found]
    known("device", [name], list(devices))
    match = environment.recognise(devices[name].profile)
    if not match.matches and not force:
        here = environment.detect({key: item.profile for key, item in devices.items()}) or "unknown"
        raise InferometerError(
            f"this machine is {here}, not {name} ({match.reason}); run with DEVICE={here}, or --force"
        )
    return devices[name]


def choose_engine(
    root: Path, cache: Path, wanted: str, device: Device, watcher: Watcher
) -> tuple[Engine, tuple[str, ...]]:
    """The engine and notes on the choice. ``auto``: Docker where an Engine answers and can build."""
    from orchestrator.engines.process import ProcessEngine

    notes: tuple[str, ...] = ()
    if wanted in ("auto", "docker"):
        try:
            from orchestrator.engines.docker import DockerEngine

            engine = DockerEngine(root, cache, device.id, device.platform, dict(device.accelerators["cpu"]))
            images.ensure_base(root, cache, device.platform, watcher.say)
            return engine, ()
        except InferometerError as problem:
            if wanted == "docker":
                raise
            notes = (f"engine: process, because {problem}",)
            watcher.say(notes[0])
    return ProcessEngine(root, cache), notes


def make_plan(
    catalog: Catalog, cache: Path, order: Order, device: Device, engine: str, mine: Sequence[Artifact] = ()
) -> Plan:
    """The plan of an order; cases whose artifacts are at hand come first, so that numbers appear early."""
    wish = replace(
        order.wish, device=device.id, own=tuple((artifact.model, artifact.sha256) for artifact in mine)
    )
    runtimes = _runtimes(catalog, wish, device)
    models = _models(catalog, wish, order.own)
    sweeps = _sweeps(runtimes, wish)
    names = list(dict.fromkeys([*models, *(artifact.model for artifact in mine)]))
    cases = expand(wish, names, wish.variants or ("nq",), sweeps)
    kept, skips = sift(
        cases,
        [
            lambda case: _arch(case, runtimes, device),
            lambda case: _threads(case),
            lambda case: _variant(case, runtimes, models),
            lambda case: _format(case, runtimes, models, mine),
            lambda case: _tool(case, runtimes, engine),
        ],
    )
    settings = settings_of(order, device)
    ready, rest = [], []
    for case in kept:
        (ready if _at_hand(catalog.root, cache, case, models) else rest).append(case)
    trials = interleave(ready, settings.launches, wish.seed) + interleave(rest, settings.launches, wish.seed)
    return Plan(wish, settings, trials, tuple(skips))


def _bring_in(
    catalog: Catalog, cache: Path, order: Order, device: Device, engine: Engine, watcher: Watcher
) -> list[Artifact]:
    runtimes = _runtimes(catalog, order.wish, device)
    found = []
    for own in order.own:
        target = engine.prepare(runtime_for(own, runtimes), watcher.say)
        with tempfile.TemporaryDirectory() as scratch:
            signature, sha256 = inspect(own, engine, target, Path(scratch))
        found.append(bring_in(own, signature, sha256, cache, order.wish.seed))
    return found


def likely_engine(wanted: str) -> str:
    """The engine a bench would take, for a plan that makes nothing ready."""
    from orchestrator.engines.docker import connect

    if wanted != "auto":
        return wanted
    try:
        connect()
        return "docker"
    except InferometerError:
        return "process"


def _runtimes(catalog: Catalog, wish: Wish, device: Device) -> dict[str, Runtime]:
    existing = catalog.runtimes()
    if wish.runtimes:
        return {name: existing[name] for name in known("runtime", wish.runtimes, list(existing))}
    return {name: item for name, item in existing.items() if item.default and device.arch in item.arch}


def _models(catalog: Catalog, wish: Wish, own: Sequence[OwnModel]) -> dict[str, Model]:
    existing = catalog.models()
    if wish.models:
        return {name: existing[name] for name in known("model", wish.models, list(existing))}
    return {} if own else {name: item for name, item in existing.items() if item.default}


def _sweeps(runtimes: Mapping[str, Runtime], wish: Wish) -> dict[str, dict[str, tuple[str, ...]]]:
    sweeps = {name: {k: o.default for k, o in item.options.items()} for name, item in runtimes.items()}
    for runtime, option, values in wish.options:
        known("runtime", [runtime], list(runtimes))
        known(f"option of {runtime}", [option], list(runtimes[runtime].options))
        allowed = runtimes[runtime].options[option].values
        if allowed != ("*",):
            known(f"value of {runtime}.{option}", values, list(allowed))
        sweeps[runtime][option] = values
    # An option without a default value is left out unless the user names it.
    return {name: {k: v for k, v in options.items() if v} for name, options in sweeps.items()}


def _arch(case: Case, runtimes: Mapping[str, Runtime], device: Device) -> str | None:
    arch = runtimes[case.runtime].arch
    return None if device.arch in arch else f"{case.runtime} needs {' or '.join(arch)}, {device.id} is {device.arch}"


def _threads(case: Case) -> str | None:
    cores = len(available_cores())
    return f"asks for {case.threads} threads, this machine offers {cores} cores" if case.threads > cores else None


def _variant(case: Case, runtimes: Mapping[str, Runtime], models: Mapping[str, Model]) -> str | None:
    model = models.get(case.model)
    if model and case.variant not in model.variants:
        return f"{case.model} has no variant {case.variant}; its card has {', '.join(model.variants)}"
    if model and case.variant not in runtimes[case.runtime].precisions:
        return f"{case.runtime} runs {', '.join(runtimes[case.runtime].precisions)}, not {case.variant}"
    return None


def _format(
    case: Case, runtimes: Mapping[str, Runtime], models: Mapping[str, Model], own: Sequence[Artifact]
) -> str | None:
    formats = runtimes[case.runtime].formats
    existing = {artifact.format for artifact in own if artifact.model == case.model}
    existing |= set(models[case.model].variants[case.variant]) if case.model in models else set()
    if existing & set(formats):
        return None
    return f"{case.runtime} loads {' or '.join(formats)}, {case.model} comes as {', '.join(sorted(existing))}"


def _tool(case: Case, runtimes: Mapping[str, Runtime], engine: str) -> str | None:
    if engine != "process":
        return None
    options = dict(case.options)
    for tool in runtimes[case.runtime].tools:
        if options.get(tool.option) in tool.values and not shutil.which(tool.command):
            return f"{tool.option}={options[tool.option]} needs {tool.command} on this machine: {tool.fix}"
    return None


def _at_hand(root: Path, cache: Path, case: Case, models: Mapping[str, Model]) -> bool:
    model = models.get(case.model)
    return model is None or artifacts.is_current(root, cache, model, case.variant, case.batch)


def identity(root: Path, device: Device, engine: str, runtimes: Sequence[str], force: bool) -> dict[str, Any]:
    """What must be equal for a run to be resumed: code, machine, engine, runtimes' content."""
    return {
        "suite": orchestrator.__version__,
        "device": device.id,
        "forced": force and not environment.recognise(device.profile).matches,
        "machine": environment.machine_id(),
        "engine": engine,
        "runtimes": {name: images.tag(name, root) for name in runtimes},
    }


def perform(catalog: Catalog, cache: Path, order: Order, watcher: Watcher) -> tuple[Run, Session]:
    """The whole bench up to the last trial. Raises InferometerError, KeyboardInterrupt."""
    root = catalog.root
    device = choose_device(catalog, order.wish.device, order.force)
    engine, notes = choose_engine(root, cache, order.engine, device, watcher)
    mine = _bring_in(catalog, cache, order, device, engine, watcher)
    plan = make_plan(catalog, cache, order, device, engine.name, mine)
    if not plan.trials:
        reasons = "; ".join(dict.fromkeys(skip.reason for skip in plan.skips)) or "no runtime fits this device"
        raise InferometerError(f"nothing to measure: {reasons}")
    runtimes = catalog.runtimes()
    used = sorted({case.runtime for case in plan.cases})
    marks = identity(root, device, engine.name, used, order.force)
    folder = _folder(order, device, plan, marks)
    with lock.hold(device.id, folder):
        engine.clean()
        if (folder / "run.json").exists():
            run = Run.open(folder)
            plan = restore_order(run, plan)
            done = sum(1 for _ in run.records())
            watcher.say(f"resuming {folder}: {done} of {len(plan.trials)} trials are done")
        else:
            facts = environment.facts(root)
            run = Run.create(folder, {**header(plan, marks, facts), "notes": list(notes)})
        session = Session(
            root,
            cache,
            plan,
            Conditions(engine, plan.settings, available_cores(), environment.memory_limit_bytes(device.profile)),
            runtimes,
            catalog.models(),
            watcher,
            {(artifact.model, artifact.format): artifact for artifact in mine},
        )
        session.run(run)
    return run, session


def _folder(order: Order, device: Device, plan: Plan, marks: Mapping[str, Any]) -> Path:
    """The folder of this bench: the one asked for, an unfinished one of the same plan, or a new name."""
    fingerprint = plan.fingerprint()
    if order.results:
        if (order.results / "run.json").exists() and not resumable(order.results, fingerprint, marks):
            raise InferometerError(
                f"{order.results} holds a finished run or one of another plan; choose another RESULTS folder"
            )
        return order.results
    unfinished = find_run(RESULTS, fingerprint, marks)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return unfinished or RESULTS / f"{stamp}-{device.id}-{os.getpid()}"

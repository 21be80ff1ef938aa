"""From a wish to a finished results folder: plan, choose the engine, find or make the run, run it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator import environment, lock
from orchestrator.artifacts import Artifact
from orchestrator.cases import Order, make_plan, runtimes_of
from orchestrator.catalog import Catalog, Device
from orchestrator.domain import InferometerError
from orchestrator.engines import images
from orchestrator.engines.launch import Engine, available_cores
from orchestrator.execute import Conditions
from orchestrator.own import bring_in, distinct, inspect, runtime_for
from orchestrator.plan import FULL, Plan, known
from orchestrator.session import Session, Watcher, find_run, header, restore_order, resumable
from orchestrator.store import Run

RESULTS = Path("results")


def choose_device(catalog: Catalog, name: str, force: bool) -> Device:
    """The named device, or the one this machine is. Raises InferometerError for a wrong board."""
    devices = catalog.devices()
    if not name:
        found = environment.detect({key: item.profile for key, item in devices.items()})
        if found is None:
            raise InferometerError(
                f"this machine is none of the known devices ({', '.join(devices)}); "
                "name one with --device and --force"
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
    root: Path, cache: Path, wanted: str, device: Device, watcher: Watcher, offline: str | None = None
) -> tuple[Engine, tuple[str, ...]]:
    """The engine and notes on the choice. ``auto``: Docker where an Engine answers and can build.

    ``offline``: a note on where all images came from; then nothing is looked for to build them.
    """
    from orchestrator.engines.process import ProcessEngine

    notes: tuple[str, ...] = ()
    if wanted in ("auto", "docker"):
        try:
            from orchestrator.engines.docker import DockerEngine

            engine = DockerEngine(root, cache, device.id, device.platform, dict(device.accelerators["cpu"]))
            if offline:
                return engine, (offline,)
            images.ensure_base(root, cache, device.platform, watcher.say)
            return engine, ()
        except InferometerError as problem:
            if wanted == "docker":
                raise
            notes = (f"engine: process, because {problem}",)
            watcher.say(notes[0])
    return ProcessEngine(root, cache), notes


def _bring_in(
    catalog: Catalog, cache: Path, order: Order, device: Device, engine: Engine, watcher: Watcher
) -> list[Artifact]:
    runtimes = runtimes_of(catalog, order.wish, device)
    found = []
    distinct(order.own, order.wish.models)
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


def identity(root: Path, device: Device, engine: str, runtimes: Sequence[str]) -> dict[str, Any]:
    """What must be equal for a run to be resumed: code, machine, engine, runtimes' content."""
    match = environment.recognise(device.profile)
    return {
        "suite": orchestrator.__version__,
        "device": device.id,
        "forced": None if match.matches else match.reason,
        "machine": environment.machine_id(),
        "engine": engine,
        # A container of another architecture runs under the kernel's emulator; a process is always native.
        "emulated": engine == "docker" and device.arch != os.uname().machine,
        "runtimes": {name: _content(name, root, engine) for name in runtimes},
    }


def _content(runtime: str, root: Path, engine: str) -> str:
    """What names a runtime's program and pins, whatever Dockerfile it has or has not."""
    if engine == "docker":
        return images.tag(runtime, root)
    digest = hashlib.sha256()
    for folder in (root / "runners/sdk", root / "runners" / runtime):
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def perform(catalog: Catalog, cache: Path, order: Order, watcher: Watcher) -> tuple[Run, Session]:
    """The whole bench up to the last trial. Raises InferometerError, KeyboardInterrupt."""
    device = choose_device(catalog, order.wish.device, order.force)
    # Before anything is made ready: building an image would disturb whoever is measuring.
    with lock.hold(f"a bench of {device.id}") as note:
        return _perform(catalog, cache, order, device, watcher, note)


def _perform(
    catalog: Catalog,
    cache: Path,
    order: Order,
    device: Device,
    watcher: Watcher,
    note: Callable[[str], None],
) -> tuple[Run, Session]:
    root = catalog.root
    engine, notes = choose_engine(root, cache, order.engine, device, watcher, order.offline)
    mine = _bring_in(catalog, cache, order, device, engine, watcher)
    plan = make_plan(catalog, cache, order, device, engine.name, mine)
    if not plan.trials:
        reasons = (
            "; ".join(dict.fromkeys(skip.reason for skip in plan.skips)) or "no runtime fits this device"
        )
        raise InferometerError(f"nothing to measure: {reasons}")
    used = sorted({case.runtime for case in plan.cases})
    marks = identity(root, device, engine.name, used)
    folder = _folder(order, device, plan, marks)
    note(str(folder))
    engine.clean()
    if (folder / "run.json").exists():
        run = Run.open(folder)
        plan = restore_order(run, plan)
        done = sum(1 for _ in run.records())
        watcher.say(f"resuming {folder}: {done} of {len(plan.trials)} trials are done")
    else:
        content = {
            **header(plan, marks, environment.facts(root)),
            "notes": list(notes),
            "created_utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "least_launches": max(FULL.launches, device.min_launches),
        }
        run = Run.create(folder, content)
    memory_bytes = environment.memory_limit_bytes(device.profile)
    session = Session(
        root,
        cache,
        plan,
        Conditions(engine, plan.settings, available_cores(), memory_bytes),
        catalog.runtimes(),
        catalog.models(),
        watcher,
        {(artifact.model, artifact.format): artifact for artifact in mine},
    )
    try:
        session.run(run)
    except OSError as problem:
        problem.filename = problem.filename or str(folder)  # a full disk names no file
        raise
    return run, session


def _folder(order: Order, device: Device, plan: Plan, marks: Mapping[str, Any]) -> Path:
    """The folder of this bench: the one asked for, an unfinished one of the same plan, or a new name."""
    fingerprint = plan.fingerprint()
    if order.results:
        if not (order.results / "run.json").exists():
            return order.results
        Run.open(order.results).header("plan.fingerprint", "identity")  # a damaged one is named as such
        if not resumable(order.results, fingerprint, marks):
            raise InferometerError(
                f"{order.results} holds a finished run or one of another plan; choose another RESULTS folder"
            )
        return order.results
    unfinished = find_run(RESULTS, fingerprint, marks)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return unfinished or RESULTS / f"{stamp}-{device.id}-{os.getpid()}"

"""From a wish to a finished results folder: plan, choose the engine, find or make the run, run it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator import environment, lock, power, second_opinion, tuning
from orchestrator.artifacts import Artifact
from orchestrator.cases import Order, make_plan, runtimes_of, with_power
from orchestrator.catalog import Catalog, Device, Runtime
from orchestrator.choices import (
    board_engine,
    choose_device,
    choose_engine,
    is_emulated,
    lacking,
    on_board,
    reach,
)
from orchestrator.domain import InferometerError
from orchestrator.engines import images
from orchestrator.engines.launch import Engine, Watch
from orchestrator.engines.place import Place
from orchestrator.engines.ssh import Link
from orchestrator.execute import Conditions
from orchestrator.exports import named
from orchestrator.own import bring_in, distinct, read, readers
from orchestrator.plan import FULL, Plan
from orchestrator.power import Power
from orchestrator.session import Session, Watcher, find_run, header, restore, resumable
from orchestrator.store import Run
from orchestrator.tuning import Tuning

RESULTS = Path("results")


@dataclass(frozen=True)
class Stage:
    """What a bench runs on; ``missing``: the device's accelerators that are out of reach, with the reason."""

    place: Place
    device: Device
    engine: Engine
    missing: Mapping[str, str]
    notes: tuple[str, ...]
    note: Callable[[str], None]  # says better what the machine is held for
    tuning: Tuning = field(default_factory=Tuning)
    link: Link | None = None  # to a board


def _bring_in(catalog: Catalog, cache: Path, order: Order, ready: Stage, watcher: Watcher) -> list[Artifact]:
    device = ready.device
    runtimes = runtimes_of(catalog, order.wish, device)
    found = []
    distinct(order.own, order.wish.models)
    for own in order.own:
        able = readers(own, runtimes, order.wish.runtimes or device.runtimes)
        signature, sha256 = read(own, able, device, ready.engine, ready.missing, watcher.say)
        found.append(bring_in(own, signature, sha256, cache, order.wish.seed))
    return found


def identity(
    root: Path,
    device: Device,
    engine: str,
    runtimes: Iterable[tuple[Runtime, str]],
    place: Place,
    tuned: tuning.TuneWish = (),
) -> dict[str, Any]:
    """What must be equal for a run to be resumed: code, machine, its tuning, engine, runtimes' content.

    ``runtimes``: each that is used, with its accelerator.
    """
    match = environment.recognise(device.profile, place.root, place.arch)
    emulated = is_emulated(device, engine, place)
    return {
        "suite": orchestrator.__version__,
        "device": device.id,
        "forced": None if match.matches or emulated else match.reason,
        "machine": environment.machine_id(place.root),
        "tuned": dict(tuned),
        "engine": engine,
        "remote": place.remote,
        "emulated": emulated,
        "runtimes": {
            runtime.id if accelerator == "cpu" else f"{runtime.id} {accelerator}": images.tag(
                runtime.id, root, device.platform, runtime.build_arguments(accelerator)
            )
            if engine == "docker"
            else _content(runtime.id, root)
            for runtime, accelerator in runtimes
        },
    }


def _content(runtime: str, root: Path) -> str:
    """What names a runtime's program and pins, whatever Dockerfile it has or has not."""
    digest = hashlib.sha256()
    for folder in (root / "runners/sdk", root / "runners" / runtime):
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def stage(catalog: Catalog, cache: Path, order: Order, watcher: Watcher) -> Iterator[Stage]:
    """Where a bench runs, alone and ready. Raises InferometerError when it cannot."""
    tuning.permit(order.tune, bool(order.host), order.emulate, os.geteuid())
    with reach(order.host) as (place, link):
        device = choose_device(catalog, order.wish.device, order.force, order.emulate, place)
        what = f"a bench of {device.id}"
        # Before anything is made ready: building an image would disturb whoever is measuring.
        if link is None:
            with lock.hold(what) as note:
                tuned = _tuning(order, tuning.Machine(place.root), watcher)
                engine, notes = choose_engine(
                    catalog.root, cache, order.engine, device, watcher, order.offline
                )
                missing = lacking(device, engine.name, place)
                try:
                    yield Stage(place, device, engine, missing, notes, note, tuned)
                finally:
                    tuned.off()
        else:
            link.hold(what)
            tuning.refuse_there(tuning.Machine(place.root))
            engine = board_engine(catalog.root, cache, order.build, device, link, watcher)
            missing = lacking(device, engine.name, place, link)
            yield Stage(place, device, engine, missing, (), lambda text: None, link=link)


def _tuning(order: Order, machine: tuning.Machine, watcher: Watcher) -> Tuning:
    """What this bench wants, looked at before anything is built, once what another left is put back."""
    said = tuning.put_back(machine, os.geteuid())
    if said:
        watcher.say(said)
    tuned = Tuning(order.tune, machine, watcher.say)
    tuned.check()
    return tuned


def perform(
    catalog: Catalog,
    cache: Path,
    order: Order,
    watcher: Watcher,
    begun: Callable[[Path], None] = lambda folder: None,
) -> tuple[Run, Session]:
    """The whole bench up to the last trial. Raises InferometerError, KeyboardInterrupt.

    ``begun`` is told the results folder once it holds the run, before its first trial.
    """
    with stage(catalog, cache, order, watcher) as ready:
        return _perform(catalog, cache, order, ready, watcher, begun)


def _perform(
    catalog: Catalog,
    cache: Path,
    order: Order,
    ready: Stage,
    watcher: Watcher,
    begun: Callable[[Path], None],
) -> tuple[Run, Session]:
    root, device, engine, place = catalog.root, ready.device, ready.engine, ready.place
    catalog = on_board(catalog, device, place.root)
    mine = _bring_in(catalog, cache, order, ready, watcher)
    cores = len(place.cores)
    plan = make_plan(catalog, cache, order, device, engine.name, ready.missing, cores, mine)
    if not plan.trials:
        reasons = (
            "; ".join(dict.fromkeys(skip.reason for skip in plan.skips)) or "no runtime fits this device"
        )
        raise InferometerError(f"nothing to measure: {reasons}")
    known = catalog.runtimes()
    used = sorted({(case.runtime, case.accelerator) for case in plan.cases})
    runtimes = [(known[name], at) for name, at in used]
    marks = identity(root, device, engine.name, runtimes, place, order.tune)
    if order.reproduces:  # an unfinished bench of the same plan is another run
        marks["reproduces"] = {name: order.reproduces[name] for name in ("run", "created_utc")}
    folder = _folder(order, device, plan, marks)
    ready.note(str(folder))
    engine.clean()
    if (folder / "run.json").exists():
        run = Run.open(folder)
        plan, sources = restore(run, plan)
        power.still(engine.sense, run.header("power.readable")["power"]["readable"])
        done = sum(1 for _ in run.records())
        watcher.say(f"resuming {folder}: {done} of {len(plan.trials)} trials are done")
    else:
        sources, found = _power(order, device, engine, watcher)
        plan = with_power(plan, order, device, found.attainable)
        content = {
            **header(plan, marks, environment.facts(root, place.root, arch=place.arch)),
            "notes": list(ready.notes),
            "created_utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "sources": list(sources),
            "power": found.to_json(),
            "least_launches": max(FULL.launches, device.min_launches),
            "reproduces": order.reproduces and dict(order.reproduces),
        }
        run = Run.create(folder, content)
    memory_bytes = environment.memory_limit_bytes(device.profile, place.root, sold_with=marks["emulated"])
    session = Session(
        root,
        cache,
        plan,
        Conditions(
            engine,
            plan.settings,
            place,
            memory_bytes,
            Watch(sources=sources),
            cooldown=None if marks["emulated"] else device.cooldown,
            emulated=marks["emulated"],
            emulator=device.emulator if marks["emulated"] else {},
        ),
        known,
        named(catalog, sorted({case.model for case in plan.cases} - {artifact.model for artifact in mine})),
        watcher,
        {(artifact.model, artifact.format): artifact for artifact in mine},
        ready.tuning,
    )
    asks = device.release and not marks["emulated"]  # a Jetson, whose owner may have jetson-stats
    if asks and not run.opinions():
        run.write_opinion("before", second_opinion.ask(engine.sense, sources, ready.link))
    begun(folder)
    try:
        session.run(run)
        if asks:
            run.write_opinion("after", second_opinion.ask(engine.sense, sources, ready.link))
    except OSError as problem:
        problem.filename = problem.filename or str(folder)  # a full disk names no file
        raise
    return run, session


def _power(order: Order, device: Device, engine: Engine, watcher: Watcher) -> tuple[tuple[str, ...], Power]:
    """The telemetry sources of the trials, and which of power answer. Raises InferometerError for a meter."""
    if order.emulate:  # this machine's joules say nothing about the board
        none = Power(why=power.EMULATED)
        return power.chosen(device.sources, none), none
    sources, found = power.of_machine(engine.sense, device.sources, order.wish.meters)
    if order.wish.energy and (reason := power.why_none(found.to_json())):
        watcher.say(f"no joules: {reason}; windows keep their length")
    return sources, found


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

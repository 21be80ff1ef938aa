"""A study carried out: exports, one bench over all of them, the report; the same command resumes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator import artifacts, bench, cases, choices, environment, exporter, exports
from orchestrator.catalog import Catalog, Device
from orchestrator.domain import Case, InferometerError
from orchestrator.export_lines import duration
from orchestrator.plan import FULL, QUICK, Settings, Wish, expected_s
from orchestrator.report.document import conclude, load
from orchestrator.session import Watcher
from orchestrator.store import Run
from orchestrator.study import document, folder
from orchestrator.study.making import MOST_AT_A_TIME, Maker, make
from orchestrator.study.rows import Key
from orchestrator.study.steps import SMOKE, Request, Step, Way, to_json
from orchestrator.verify.finish import finish

# The whole way in minutes: a latency is then no more than a sign of life, and the report says so.
SIGN_OF_LIFE = replace(
    QUICK,
    launches=1,
    min_duration_ns=30_000_000,
    min_iterations=3,
    warmup_window=1,
    warmup_cap=2,
    warmup_max_ns=1_000_000_000,
    settle=0,
    observer_rounds=0,
    probe_ns=0,
)
# Of a budget the bench gets no more than this share; if whole windows need more, it is a quick one.
_BENCH_SHARE = 0.5


@dataclass(frozen=True)
class Place:
    """What a study runs with."""

    catalog: Catalog
    cache: Path
    results: Path
    device: Device
    engine: str
    maker: Callable[[Step, float | None], Mapping[str, str]]


def prepare(
    catalog: Catalog, cache: Path, request: Request, models: Sequence[str], say: Callable[[str], None]
) -> Place:
    """The device and the exporter. Raises InferometerError for another board than this, or unknown ids."""
    with choices.reach(request.host) as (place, _):
        device = choices.choose_device(catalog, request.device, False, False, place)
    engine = choices.likely_engine(request.engine)
    exports.named(catalog, models)  # refused at once, not after hours
    return Place(catalog, cache, bench.RESULTS, device, engine, maker(catalog, cache, engine, say))


def maker(catalog: Catalog, cache: Path, engine: str, say: Callable[[str], None]) -> Maker:
    """Exports by the exporter's own environment."""

    def one(step: Step, budget_s: float | None) -> Mapping[str, str]:
        root, model = catalog.root, catalog.model(step.model)
        try:
            return exports.ensure_all(root, cache, model, step.variants, 1, engine, say, step.seed, budget_s)
        except InferometerError as problem:  # of those that were missing; others are there from before
            missing = [
                v for v in step.variants if not artifacts.is_current(root, cache, model, v, 1, step.seed)
            ]
            return dict.fromkeys(missing, str(problem))

    return one


def perform(place: Place, way: Way, request: Request, watcher: Watcher) -> tuple[Path, dict[str, Any]]:
    """The whole way; the results folder and the report document.

    A variant that cannot be made, trained or run is a row with its reason. Raises InferometerError only
    where nothing at all came of it, KeyboardInterrupt with everything finished kept.
    """
    began = time.monotonic()
    settings, budget_s = budget(way, place.device, request.budget_s)
    if request.budget_s and settings.quick and not way.scale:
        watcher.say("budget: whole windows would take more than half of it, so the bench is a quick one")
    where = folder.choose(place.results, way, place.device.id, _identity(place))
    watcher.say(f"results: {where}")
    at_a_time = min(MOST_AT_A_TIME, os.cpu_count() or 1)
    failed = make(
        [*way.steps, *way.repeated], place.maker, budget_s, at_a_time, watcher.say, exporter.end_mine
    )
    made = _manifests(place, way.steps, failed)
    run = folder.bench(where, made, settings)
    summary, planned = _bench(place, way, request, settings, made, run, watcher)
    runtimes = {name: item.formats for name, item in place.catalog.runtimes().items()}
    repeated = {
        seed: _manifests(place, [step for step in way.repeated if step.seed == seed], failed)
        for seed in dict.fromkeys(step.seed for step in way.repeated)
    }
    found = document.build(way, made, repeated, summary, runtimes, planned)
    folder.record(where, _used(way, request, made, time.monotonic() - began))
    files = folder.write(where, found)
    watcher.say(f"{', '.join(path.name for path in files)} after {duration(time.monotonic() - began)}")
    return where, found


def budget(way: Way, device: Device, budget_s: float | None) -> tuple[Settings, float | None]:
    """How each case is measured, and what is left for training."""
    if way.scale == SMOKE:
        settings = SIGN_OF_LIFE
    else:
        settings = replace(FULL, launches=max(FULL.launches, device.min_launches))
    count = len(way.keys()) * len(way.runtimes)

    def needed_s(chosen: Settings) -> float:
        return count * chosen.launches * expected_s(chosen)

    if budget_s is None:
        return settings, None
    if needed_s(settings) > _BENCH_SHARE * budget_s and not way.scale:
        settings = QUICK
    return settings, budget_s - min(needed_s(settings), _BENCH_SHARE * budget_s)


def _identity(place: Place) -> dict[str, Any]:
    return {"engine": place.engine, "machine": environment.machine_id(Path("/"))}


def _manifests(
    place: Place, steps: Any, failed: Mapping[Step, Mapping[str, str]]
) -> dict[Key, Mapping[str, Any] | str]:
    found: dict[Key, Mapping[str, Any] | str] = {}
    for step in steps:
        for variant in step.variants:
            found[step.model, variant] = _manifest(place, step, variant, failed[step].get(variant))
    return found


def _manifest(place: Place, step: Step, variant: str, reason: str | None) -> Mapping[str, Any] | str:
    if reason:
        return reason
    where = artifacts.folder_of(place.catalog.root, place.cache, step.model, variant, 1, step.seed)
    try:
        return artifacts.read_manifest(where) or f"{where} has no manifest"
    except InferometerError as problem:
        return str(problem)


def _bench(
    place: Place,
    way: Way,
    request: Request,
    settings: Settings,
    made: Mapping[Key, Mapping[str, Any] | str],
    where: Path,
    watcher: Watcher,
) -> tuple[dict[str, Any] | None, set[str]]:
    """The bench's summary document and the cases that cannot run; None where there is nothing to run."""
    if (where / "summary.json").exists():
        return load(where), _skipped(Run.open(where))
    if all(isinstance(manifest, str) for manifest in made.values()):
        return None, set()
    options = tuple(option for option in way.study.options if option[0] in way.runtimes)
    wish = Wish(
        place.device.id, models=way.models, variants=way.variants, runtimes=way.runtimes, options=options
    )
    unmade = tuple((key, why) for key, why in made.items() if isinstance(why, str))
    order = cases.Order(
        wish,
        request.engine,
        results=where,
        host=request.host,
        settings=settings,
        unmade=unmade,
        spared=spared(way),
    )
    run, session = bench.perform(place.catalog, place.cache, order, watcher)
    found = conclude(run, session.skips)
    finish(run, found)
    return found, _skipped(run)


def spared(way: Way) -> tuple[tuple[tuple[str, str], str], ...]:
    """(runtime, variant) that a smoke run does not measure, with the reason."""
    if way.scale != SMOKE:
        return ()
    return tuple(
        ((runtime, variant), "left out of a smoke run, for its time; its exporter ran the file")
        for runtime, kept in way.study.smoke.only.items()
        for variant in way.variants
        if variant not in kept
    )


def _skipped(run: Run) -> set[str]:
    """Ids of the cases of which no launch was planned."""
    return {Case.from_json(skip["case"]).id for skip in run.header("plan.skips")["plan"]["skips"]}


def _used(
    way: Way, request: Request, made: Mapping[Key, Mapping[str, Any] | str], seconds: float
) -> dict[str, Any]:
    """What a reader needs to do it again: settings of every export, hashes of every file and of the data."""
    kept = ("weights", "data", "techniques", "training", "exporters", "key")
    return {
        "way": to_json(way),
        "budget_s": request.budget_s,
        "seconds": round(seconds, 1),
        "exports": [
            {"model": model, "variant": variant, "reason": manifest}
            if isinstance(manifest, str)
            else {
                "model": model,
                "variant": variant,
                **{name: manifest.get(name) for name in kept},
                "files": {item["file"]: item["sha256"] for item in manifest["artifacts"]},
            }
            for (model, variant), manifest in made.items()
        ],
    }

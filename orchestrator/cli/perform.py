"""What ``bench`` and ``plan`` do behind their options."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import click

from orchestrator import bench, cases, choices, meter, power, scaling, tuning
from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog, Device, Runtime, suite_root, user_models
from orchestrator.cli.progress import watcher
from orchestrator.domain import InferometerError
from orchestrator.engines import observer
from orchestrator.own import OwnModel, parse_range
from orchestrator.plan import Plan, Wish, expected_run_s, expected_s
from orchestrator.session import exit_code, predictions


def order_of(given: Mapping[str, Any], runtimes: Mapping[str, Runtime]) -> cases.Order:
    """The parsed options as an order; ``runtimes`` are all there are."""
    for option, name in (("--image", "images"), ("--input-range", "input_range")):
        if given.get(name) and not given["own"]:
            raise InferometerError(f"{option} is for a model file of your own; name it with --model")
    scenario = scaling.scenario_of(given["scenario"], given["batches"], given["streams"])
    if given.get("own") and scenario.batches and not given["models"]:
        option = "--batch" if given["batches"] else "--scenario"
        raise InferometerError(f"{option}: a model file of your own fixes its batch; leave the option out")
    if given["sustained_s"] and (given["launches"] or 1) > 1:
        raise InferometerError("--sustained is one long launch a case; leave --launches out, or bench again")
    if given["sustained_s"] and given["emulate"]:
        raise InferometerError("--sustained: an emulator's latencies mean nothing; run it on the board")
    if given["budget_s"] and given["sustained_s"]:
        raise InferometerError("--budget: --sustained is one long launch a case; leave one of them out")
    if given["budget_s"] and given["emulate"]:
        raise InferometerError("--budget: an emulator's latencies mean nothing; run it on the board")
    if given["loadgen"] and given["emulate"]:
        raise InferometerError("--loadgen: an emulator's latencies mean nothing; run it on the board")
    if given["meters"] and given["emulate"]:
        raise InferometerError("--meter: what an emulator takes says nothing; run it on the board")
    names = (
        "device",
        "models",
        "variants",
        "runtimes",
        "threads",
        "accelerators",
        "seed",
        "energy",
        "meters",
    )
    sweeps = cases.values_of(given["options"], runtimes)
    wish = Wish(
        **{name: given[name] for name in names},
        options=sweeps,
        batches=scenario.batches,
        scenario=scenario.name,
    )
    return cases.Order(
        wish,
        given["engine"],
        given["quick"],
        given["launches"],
        given["timeout_s"],
        given.get("results"),
        given["force"],
        given["emulate"],
        given["host"],
        given["build"],
        tuple(
            OwnModel(path, given["images"], parse_range(given["input_range"]))
            for path in given.get("own", ())
        ),
        given["sustained_s"],
        loadgen=given["loadgen"] or "",
        tune=() if given.get("tune") is None else tuning.parse(given["tune"]),
        budget_s=given["budget_s"],
        width=given["width"],
    )


def perform(given: Mapping[str, Any]) -> int:
    """Run a bench to its end; returns the exit status."""
    from orchestrator.report.document import conclude
    from orchestrator.report.terminal import show
    from orchestrator.verify.finish import finish

    catalog, cache = Catalog(suite_root(), own=user_models()), cache_root()
    order = order_of(given, catalog.runtimes())
    signal.signal(signal.SIGTERM, interrupt)
    with watcher(bool(given.get("watch"))) as watching:
        try:
            if given.get("bundle"):
                from orchestrator.bundle.use import supply

                order = supply(catalog, cache, order, given["bundle"], watching.say)
            run, session = bench.perform(catalog, cache, order, watching, watching.begun)
        except KeyboardInterrupt:
            click.echo("interrupted; the same command resumes, every finished trial is kept", err=True)
            return 130
    document = conclude(run, session.skips)
    finish(run, document)
    show(document)
    for line in predictions(run, session):
        click.echo(line)
    click.echo(f"make report RESULTS={run.folder} writes a page and tables for papers and programs")
    click.echo(str(run.folder))
    return exit_code(list(run.records()), session.skips)


def interrupt(number: int, frame: object) -> None:
    """A signal as Ctrl+C: what is under way is ended and cleaned up."""
    raise KeyboardInterrupt


def _readable(order: cases.Order, device: Device, is_here: bool) -> tuple[str, ...]:
    """The power sources that lengthen windows: those that answer here, all that there may be on a board."""
    if not order.wish.energy or order.emulate:
        return ()
    if is_here:
        return power.of_machine(observer.sense, device.sources, order.wish.meters)[1].attainable
    return (*device.sources, *(source for given in order.wish.meters for source in meter.candidates(given)))


def preview(given: Mapping[str, Any]) -> tuple[Plan, list[str]]:
    """The plan and its lines for a terminal; makes nothing ready."""
    catalog, cache = Catalog(suite_root(), own=user_models()), cache_root()
    order = order_of(given, catalog.runtimes())
    with choices.reach(order.host) as (place, link):
        device = choices.choose_device(catalog, order.wish.device, order.force, order.emulate, place)
        engine = "docker" if link else choices.likely_engine(order.engine)
        missing = choices.lacking(device, engine, place, link)
        catalog = choices.on_board(catalog, device, place.root)
        plan = cases.make_plan(catalog, cache, order, device, engine, missing, len(place.cores))
        readable = _readable(order, device, is_here=link is None)
        plan = cases.with_power(plan, order, device, readable)
    launches = plan.settings.launches
    lines = [f"{case.id}  x {launches}" for case in plan.cases]
    lines += [f"skip {skip.case.id}: {skip.reason}" for skip in plan.skips]
    if link and readable:
        lines.append(f"windows are as long as they are if every power source of {device.id} answers")
    minutes = expected_run_s(plan) / 60
    lines.append(
        f"{len(plan.cases)} cases, {len(plan.trials)} trials on {device.id} with engine {engine}: "
        f"{'about' if plan.settings.budget_s is None else 'at most about'} {minutes:.0f} min "
        "once images and artifacts are there"
    )
    lines += _budget_lines(plan)
    return plan, lines


def _budget_lines(plan: Plan) -> list[str]:
    """What a budget means for this plan, for people; nothing where there is none."""
    budget_s, trials = plan.settings.budget_s, len(plan.trials)
    if budget_s is None:
        return []
    left_s = budget_s - trials * expected_s(plan.settings)
    if left_s >= 0:
        goal = f"until every interval is +-{plan.settings.width:.1%} or narrower"
        return [f"the budget leaves about {left_s:.0f} s for launches where they narrow most, {goal}"]
    reached = max(1, int(budget_s / expected_s(plan.settings)))  # the first is begun anyway
    return [f"the budget of {budget_s:.0f} s is spent after about {reached} of these {trials} trials"]

"""Which cases an order leads to, and why others do not run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator import artifacts, obstacles, scaling
from orchestrator.artifacts import Artifact
from orchestrator.catalog import OWN, Catalog, Device, Model, Runtime, parse_variant
from orchestrator.domain import Case, InferometerError, Skip, Trial
from orchestrator.energy import needed_idle_ns, needed_window_ns
from orchestrator.exports import named
from orchestrator.own import OwnModel
from orchestrator.plan import (
    EMULATED,
    FULL,
    QUICK,
    Plan,
    Settings,
    Wish,
    expand,
    interleave,
    known,
    lengthened,
    sift,
    sustained,
)


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
    emulate: bool = False
    host: str | None = None  # ssh://user@board
    build: str = "here"  # or "there": where a board's images are made
    own: tuple[OwnModel, ...] = ()
    sustained_s: float | None = None  # one window of this length instead of short ones
    offline: str | None = None  # all is at hand and nothing may be fetched; says where it came from
    tune: tuple[tuple[str, str], ...] = ()  # knobs of this machine and their values
    loadgen: str = ""  # the scenario of MLPerf's LoadGen that follows the trials
    settings: Settings | None = None  # exactly these, whatever quick says
    unmade: tuple[tuple[tuple[str, str], str], ...] = ()  # (model, variant), why its export failed
    spared: tuple[tuple[tuple[str, str], str], ...] = ()  # (runtime, variant), why nobody wants it measured
    trials: tuple[Trial, ...] = ()  # exactly these in this order, as far as they can run here
    reproduces: Mapping[str, Any] | None = None  # the run whose trials they are, and what differs here
    budget_s: float | None = None  # time of all trials, spent where it narrows most
    width: float | None = None  # relative half-width that intervals should have


def settings_of(order: Order, device: Device, readable: Sequence[str] = ()) -> Settings:
    """The settings an order leads to; the device may ask for more launches than the default.

    ``readable``: the power sources that answer here; where energy is wished for, windows are made as long
    as the slowest of them needs.
    """
    whole = replace(FULL, launches=max(FULL.launches, device.min_launches))
    base = order.settings or (QUICK if order.quick else whole)
    if order.emulate:
        base = EMULATED
    else:
        if order.wish.energy and readable:
            base = lengthened(base, needed_window_ns(readable), needed_idle_ns(readable))
        if order.sustained_s:
            base = sustained(base, order.sustained_s)
    asked: dict[str, Any] = {
        "launches": order.launches,
        "timeout_s": order.timeout_s,
        "budget_s": order.budget_s,
        "width": order.width,
    }
    base = replace(base, loadgen=order.loadgen)
    base = replace(base, **{name: value for name, value in asked.items() if value is not None})
    if order.wish.scenario == scaling.MULTI_STREAM and not order.emulate:
        return replace(base, min_iterations=max(base.min_iterations, scaling.least_queries(base.launches)))
    return base


def with_power(plan: Plan, order: Order, device: Device, readable: Sequence[str]) -> Plan:
    """The plan with windows for the power sources that answer: still the same one to resume."""
    return replace(plan, settings=settings_of(order, device, readable), asked=plan.settings)


def make_plan(
    catalog: Catalog,
    cache: Path,
    order: Order,
    device: Device,
    engine: str,
    lacking: Mapping[str, str],
    cores: int,
    mine: Sequence[Artifact] = (),
) -> Plan:
    """The plan of an order; cases whose artifacts are at hand come first, so that numbers appear early.

    ``lacking``: the device's accelerators that cannot be reached now, with the reason;
    ``cores``: how many the machine offers.
    """
    wish = replace(
        order.wish, device=device.id, own=tuple((artifact.model, artifact.sha256) for artifact in mine)
    )
    runtimes = runtimes_of(catalog, wish, device)
    models = _models(catalog, wish, order.own)
    techniques = catalog.techniques()
    for code in wish.variants:
        parse_variant(code, techniques)  # a wrong one is refused, whatever runs
    sweeps = _sweeps(runtimes, wish)
    places = {name: _accelerators(item, device, wish, lacking) for name, item in runtimes.items()}
    asked = [(name, *model.asked(wish.variants, wish.batches)) for name, model in models.items()]
    asked += [(artifact.model, (OWN,), (artifact.batch,)) for artifact in mine]
    cases: list[Case] = []
    for name, variants, batches in asked:
        cases += expand(replace(wish, batches=batches), [name], variants, sweeps, places)
    named = {(runtime, option) for runtime, option, _ in wish.options}
    cases = [  # one name in two formats asks for each case twice
        case
        for case in dict.fromkeys(cases)
        if {(case.runtime, name) for name in obstacles.unasked(case, runtimes, models)} <= named
    ]
    kept, skips = sift(
        cases,
        [
            lambda case: dict(order.unmade).get((case.model, case.variant)),
            lambda case: obstacles.arch(case, runtimes, device),
            lambda case: obstacles.accelerator(case, runtimes, device, lacking),
            lambda case: obstacles.option(case, runtimes),
            lambda case: obstacles.base(case, runtimes, engine),
            lambda case: obstacles.threads(case, cores),
            lambda case: obstacles.variant(case, runtimes, models),
            lambda case: obstacles.format(case, runtimes, models, mine),
            lambda case: obstacles.tool(case, runtimes, engine),
            # Last: what cannot run at all has its own reason.
            lambda case: dict(order.spared).get((case.runtime, case.variant)),
        ],
    )
    _check_driver(order, kept)
    settings = settings_of(order, device)
    if order.trials:
        missing = {trial.case for trial in order.trials} - {*kept, *(skip.case for skip in skips)}
        lost = [Skip(case, "this version of the suite plans no such case") for case in missing]
        again = tuple(trial for trial in order.trials if trial.case in kept)
        return Plan(wish, settings, again, (*skips, *sorted(lost, key=lambda skip: skip.case.id)))
    ready: list[Case] = []
    rest: list[Case] = []
    for case in kept:
        # What drifts must reach all points of an offline curve alike, so none of them waits.
        first = wish.scenario == scaling.OFFLINE or _at_hand(catalog.root, cache, case, models)
        (ready if first else rest).append(case)
    trials = interleave(ready, settings.launches, wish.seed) + interleave(rest, settings.launches, wish.seed)
    return Plan(wish, settings, trials, tuple(skips))


def _check_driver(order: Order, cases: Sequence[Case]) -> None:
    """Refuse what LoadGen would refuse only after all trials."""
    unfit = next((case for case in cases if case.batch != 1), None)
    if order.loadgen == "SingleStream" and unfit:
        raise InferometerError(
            f"--loadgen SingleStream queries one sample at a time, but {unfit.id} takes batch {unfit.batch}; "
            "give --batch 1, or --loadgen MultiStream or Offline"
        )


def runtimes_of(catalog: Catalog, wish: Wish, device: Device) -> dict[str, Runtime]:
    """The runtimes a wish names, else the device's, and those that were dropped in and suit its processor."""
    existing = catalog.runtimes()
    if wish.runtimes:
        return {name: existing[name] for name in known("runtime", wish.runtimes, list(existing))}
    listed = {name for item in catalog.devices().values() for name in item.runtimes}
    return {
        name: item
        for name, item in existing.items()
        if device.arch in item.arch and (name in device.runtimes or (item.default and name not in listed))
    }


def _accelerators(
    runtime: Runtime, device: Device, wish: Wish, lacking: Mapping[str, str]
) -> tuple[str, ...]:
    """Where a runtime's cases run; what nobody asked for and a device need not have is left out."""
    if wish.accelerators:
        return wish.accelerators
    able = runtime.offers(device.arch)
    offered = [name for name in able if name in device.accelerators]
    within = [n for n in offered if not (n in lacking and device.accelerators[n].optional)]
    # A runtime that was asked for by name is skipped with the reason, not left out.
    return tuple(within or (offered if runtime.id in wish.runtimes else [])) if offered else able


def _models(catalog: Catalog, wish: Wish, own: Sequence[OwnModel]) -> dict[str, Model]:
    if wish.models:
        return named(catalog, wish.models)
    return {} if own else {name: item for name, item in catalog.models().items() if item.default}


def _sweeps(runtimes: Mapping[str, Runtime], wish: Wish) -> dict[str, dict[str, tuple[str, ...]]]:
    sweeps = {
        name: {
            option: tuple(dict.fromkeys([*o.default, *itertools.chain(*o.default_for.values())]))
            for option, o in item.options.items()
        }
        for name, item in runtimes.items()
    }
    for runtime, option, values in wish.options:
        known("runtime", [runtime], list(runtimes))
        known(f"option of {runtime}", [option], list(runtimes[runtime].options))
        allowed = runtimes[runtime].options[option].values
        if allowed != ("*",):
            known(f"value of {runtime}.{option}", values, list(allowed))
        sweeps[runtime][option] = values
    # An option without a default value is left out unless the user names it.
    return {name: {k: v for k, v in options.items() if v} for name, options in sweeps.items()}


def values_of(
    given: Sequence[tuple[str, str, str]], runtimes: Mapping[str, Runtime]
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """``(runtime, option, text)`` triples as a wish's options; what is given several times adds values.

    A comma parts the values of an option that has a list of them. One that may be anything is taken
    whole: its values may hold commas themselves. Unknown names are kept for :func:`make_plan` to refuse.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for name, option, text in given:
        known_options = runtimes[name].options if name in runtimes else {}
        whole = option in known_options and known_options[option].values == ("*",)
        found.setdefault((name, option), []).extend([text] if whole else text.split(","))
    return tuple((*names, tuple(dict.fromkeys(values))) for names, values in found.items())


def _at_hand(root: Path, cache: Path, case: Case, models: Mapping[str, Model]) -> bool:
    model = models.get(case.model)
    try:
        return model is None or artifacts.is_current(root, cache, model, case.variant, case.batch)
    except InferometerError:
        return False  # when its turn comes it is skipped with this reason; the others are measured

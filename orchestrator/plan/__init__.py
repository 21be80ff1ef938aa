"""From wishes to trials: a chain of small filters, each leaving a reason behind. Pure."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from orchestrator.domain import Case, InferometerError, Skip, Trial
from orchestrator.plan.settings import EMULATED as EMULATED
from orchestrator.plan.settings import FULL as FULL
from orchestrator.plan.settings import MOST_ITERATIONS as MOST_ITERATIONS
from orchestrator.plan.settings import QUICK as QUICK
from orchestrator.plan.settings import WIDTH as WIDTH
from orchestrator.plan.settings import Settings as Settings
from orchestrator.plan.settings import expected_s as expected_s
from orchestrator.plan.settings import lengthened as lengthened
from orchestrator.plan.settings import observed as observed
from orchestrator.plan.settings import sustained as sustained


@dataclass(frozen=True)
class Wish:
    """What the user asked for; an empty tuple means "the defaults"."""

    device: str
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    batches: tuple[int, ...] = ()
    options: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # (runtime, option, values)
    accelerators: tuple[str, ...] = ()
    seed: int = 0
    own: tuple[tuple[str, str], ...] = ()  # (name, SHA-256) of the user's own model files
    energy: bool = False  # windows as long as the power sources need
    meters: tuple[str, ...] = ()  # addresses of smart plugs
    scenario: str | None = None  # single-stream, offline, multi-stream; None: batches as they are given


@dataclass(frozen=True)
class Plan:
    """Trials in the order they run, and what does not run."""

    wish: Wish
    settings: Settings
    trials: tuple[Trial, ...]
    skips: tuple[Skip, ...]
    asked: Settings | None = None  # before power sources lengthened windows; None: the same

    @property
    def cases(self) -> tuple[Case, ...]:
        """Each case once, in order of its id."""
        return tuple(sorted({trial.case for trial in self.trials}, key=lambda case: case.id))

    def fingerprint(self) -> str:
        """Equal for the same wish, settings and cases: what decides whether a run is resumed.

        Not by what answers today: a plug that is down when a run goes on makes no other run of it.
        """
        body = {
            "wish": asdict(self.wish),
            "settings": asdict(self.asked or self.settings),
            "trials": sorted(trial.id for trial in self.trials),
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


Obstacle = Callable[[Case], str | None]  # the reason a case cannot run, or None


def known(kind: str, wanted: Iterable[str], existing: Sequence[str]) -> tuple[str, ...]:
    """``wanted`` unchanged, or an :class:`InferometerError` listing the known ids and the nearest."""
    wanted = tuple(wanted)
    for name in wanted:
        if name not in existing:
            near = difflib.get_close_matches(name, existing, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise InferometerError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(existing))}.")
    return wanted


def expand(
    wish: Wish,
    models: Iterable[str],
    variants: Iterable[str],
    runtimes: Mapping[str, Mapping[str, Sequence[str]]],
    accelerators: Mapping[str, Sequence[str]],
) -> list[Case]:
    """Every combination; by runtime, ``runtimes`` has its options and their values."""
    cases = []
    for runtime, options in runtimes.items():
        names = sorted(options)
        for accelerator, model, variant, batch, threads, values in itertools.product(
            accelerators[runtime],
            models,
            variants,
            wish.batches or (1,),
            wish.threads or (1,),
            itertools.product(*(options[name] for name in names)),
        ):
            cases.append(
                Case(
                    wish.device,
                    runtime,
                    model,
                    variant,
                    batch,
                    threads,
                    tuple(zip(names, values, strict=True)),
                    accelerator,
                )
            )
    return cases


def sift(cases: Iterable[Case], obstacles: Sequence[Obstacle]) -> tuple[list[Case], list[Skip]]:
    """Split cases into those that run and skips; the first obstacle's reason counts."""
    kept, skips = [], []
    for case in cases:
        reason = next((found for obstacle in obstacles if (found := obstacle(case))), None)
        if reason:
            skips.append(Skip(case, reason))
        else:
            kept.append(case)
    return kept, skips


def interleave(cases: Sequence[Case], launches: int, seed: int) -> tuple[Trial, ...]:
    """Seeded random order in rounds: each round launches every case once.

    Drift then hits all cases alike (google-benchmark, random_interleaving.md), and an interrupted
    run has about equally many launches of every case. Every second round is the one before in reverse:
    over such a pair all cases have the same mean place, so that a linear drift cancels out.
    """
    shuffler = random.Random(seed)
    order: list[Trial] = []
    ring = sorted(cases, key=lambda case: case.id)
    for launch in range(launches):
        if launch % 2:
            ring.reverse()
        else:
            ring.sort(key=lambda case: case.id)
            shuffler.shuffle(ring)
        order.extend(Trial(case, launch) for case in ring)
    return tuple(order)


def expected_run_s(plan: Plan) -> float:
    """A rough duration of all trials in seconds, with the launches beside them; with a budget, at most."""
    settings, cases = plan.settings, plan.cases
    total_s = settings.budget_s if cases and settings.budget_s else len(plan.trials) * expected_s(settings)
    if cases and settings.observer_rounds:
        total_s += expected_s(observed(settings))
    if settings.loadgen:
        total_s += len(cases) * expected_s(replace(settings, min_duration_ns=settings.loadgen_ns))
    places = {(case.runtime, case.accelerator, case.threads) for case in cases if settings.probe_ns}
    return total_s + len(places) * (2 * settings.probe_ns / 1e9 + 3.0)


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as ``run.json`` keeps it and ``inferometer plan --json`` prints it."""
    return {
        "fingerprint": plan.fingerprint(),
        "wish": asdict(plan.wish),
        "settings": asdict(plan.settings),
        "trials": [{"case": trial.case.to_json(), "launch": trial.launch} for trial in plan.trials],
        "skips": [{"case": skip.case.to_json(), "reason": skip.reason} for skip in plan.skips],
    }

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
from orchestrator.statistics import turns


@dataclass(frozen=True)
class Settings:
    """How each trial is measured; durations in ns. Part of the plan's fingerprint."""

    launches: int
    min_duration_ns: int
    min_iterations: int
    max_iterations: int
    warmup_window: int
    warmup_cap: int
    warmup_max_ns: int
    settle: int
    idle_ns: int  # asleep with the model loaded, before the window
    idle_after_ns: int  # and after it
    observer_block_ns: int  # telemetry reads and rests by turns of this length in one launch more,
    observer_rounds: int  # so many rounds of four turns; 0: no such launch
    sustained_ns: int  # how long one launch's one window was asked to be; 0: short windows
    timeout_s: float
    quick: bool
    probe_ns: int = 0  # each of the two measurements of a container's ceilings; 0: no such launch
    loadgen: str = ""  # the scenario that MLPerf's LoadGen drives in one launch more of each case
    loadgen_ns: int = 60_000_000_000  # how long at least


# At least 5 fresh processes (docs/adr/0003); 64 iterations allow a p90 from one launch.
FULL = Settings(
    launches=5,
    min_duration_ns=5_000_000_000,
    min_iterations=64,
    max_iterations=1_000_000,
    warmup_window=20,
    warmup_cap=300,
    warmup_max_ns=60_000_000_000,
    settle=3,
    idle_ns=500_000_000,
    idle_after_ns=500_000_000,
    observer_block_ns=1_000_000_000,
    observer_rounds=6,
    sustained_ns=0,
    timeout_s=900.0,
    quick=False,
    probe_ns=1_000_000_000,
)
# Under an emulator only outputs mean something: one launch, and as few inferences as there can be.
EMULATED = Settings(
    launches=1,
    min_duration_ns=1,
    min_iterations=1,
    max_iterations=1,
    warmup_window=1,
    warmup_cap=2,
    warmup_max_ns=1_000_000_000,
    settle=0,
    idle_ns=0,
    idle_after_ns=0,
    observer_block_ns=0,
    observer_rounds=0,
    sustained_ns=0,
    timeout_s=3600.0,
    quick=True,
)
# A first look: enough to see an order of magnitude, and every result says so.
QUICK = Settings(
    launches=3,
    min_duration_ns=500_000_000,
    min_iterations=20,
    max_iterations=1_000_000,
    warmup_window=5,
    warmup_cap=40,
    warmup_max_ns=10_000_000_000,
    settle=2,
    idle_ns=0,
    idle_after_ns=0,
    observer_block_ns=300_000_000,
    observer_rounds=3,
    sustained_ns=0,
    timeout_s=300.0,
    quick=True,
    probe_ns=300_000_000,
    loadgen_ns=2_000_000_000,
)


# A fast inference fills a long window with millions; beyond this a window ends before its time.
MOST_ITERATIONS = 10_000_000


def lengthened(settings: Settings, window_ns: int, idle_ns: int) -> Settings:
    """Windows and idle times at least so long, and the time limit with them."""
    return replace(
        settings,
        min_duration_ns=max(settings.min_duration_ns, window_ns),
        max_iterations=MOST_ITERATIONS,
        idle_ns=max(settings.idle_ns, idle_ns),
        idle_after_ns=max(settings.idle_after_ns, idle_ns),
        timeout_s=settings.timeout_s + 1.5 * (window_ns + 2 * idle_ns) / 1e9,
    )


def sustained(settings: Settings, duration_s: float) -> Settings:
    """One launch with one long window, whose course is what counts."""
    longer = lengthened(settings, round(duration_s * 1e9), 0)
    return replace(longer, launches=1, observer_rounds=0, sustained_ns=longer.min_duration_ns)


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
    """Seeded random order in rounds: each round launches every case once, shuffled.

    Drift then hits all cases alike (google-benchmark, random_interleaving.md), and an interrupted
    run has about equally many launches of every case.
    """
    shuffler = random.Random(seed)
    order: list[Trial] = []
    for launch in range(launches):
        ring = [Trial(case, launch) for case in sorted(cases, key=lambda case: case.id)]
        shuffler.shuffle(ring)
        order.extend(ring)
    return tuple(order)


# Warm-up ends with steady latencies, however long the window is.
_MOST_WARMUP_NS = 1_500_000_000


def expected_s(settings: Settings, launch_overhead_s: float = 3.0) -> float:
    """A rough duration of one trial in seconds: the window, its warm-up and the launch."""
    window_ns = settings.min_duration_ns
    warmup_ns = min(0.3 * window_ns, _MOST_WARMUP_NS)
    return (window_ns + warmup_ns + settings.idle_ns + settings.idle_after_ns) / 1e9 + launch_overhead_s


def observed(settings: Settings) -> Settings:
    """Those of the launch that shows what telemetry costs: one window that holds all turns."""
    return replace(
        settings,
        # One round more than is wanted: the window does not begin with a round.
        min_duration_ns=(settings.observer_rounds + 1) * turns.ROUND * settings.observer_block_ns,
        min_iterations=1,
        max_iterations=MOST_ITERATIONS,
        idle_ns=0,
        idle_after_ns=0,
    )


def expected_run_s(plan: Plan) -> float:
    """A rough duration of all trials in seconds, with the launches beside them."""
    settings, cases = plan.settings, plan.cases
    total_s = len(plan.trials) * expected_s(settings)
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

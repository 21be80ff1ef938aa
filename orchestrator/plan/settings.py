"""How each trial is measured: the settings of a full bench, of a first look, and under emulation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.statistics import turns

# The relative half-width an interval should have at most (0.02 is +-2 %), unless another is asked for.
WIDTH = 0.02


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
    budget_s: float | None = None  # time of all trials; None: as many launches as planned, and no more
    width: float = WIDTH
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

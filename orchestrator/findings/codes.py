"""Every finding there is: its code, what it does to the verdict, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from orchestrator.domain import Finding, Severity, Verdict


class Code(Enum):
    """A finding's code with its usual severity and its advice."""

    # What ran is not what was asked for.
    PLACEMENT_FALLBACK = (
        "placement_fallback",
        Severity.INVALID,
        "Install or enable the accelerator, or ask for the cpu; the figure of a fallback is never shown.",
    )
    PLACEMENT_MIXED = (
        "placement_mixed",
        Severity.SUSPECT,
        "Read the figure as that of all of them; transcript.jsonl below raw/ names each node's place.",
    )
    PARITY_MISMATCH = (
        "parity_mismatch",
        Severity.SUSPECT,
        "Check the runtime's version and options: what computes something else is not comparable.",
    )
    ACCURACY_BELOW_REFERENCE = (
        "accuracy_below_reference",
        Severity.SUSPECT,
        "Weigh the speed against the lost accuracy; the row is below 99 % of the fp32 reference.",
    )
    EMULATED = (
        "emulated",
        Severity.INVALID,
        "Run on the board itself: under emulation outputs mean something, latencies do not.",
    )
    FORCED_DEVICE = (
        "forced_device",
        Severity.SUSPECT,
        "Name the device this machine is, or run on the named one.",
    )
    # Launches.
    FAILED_LAUNCHES = (
        "failed_launches",
        Severity.SUSPECT,
        "Look at stderr.log in the trial's folder below raw/.",
    )
    TOO_FEW_LAUNCHES = ("too_few_launches", Severity.SUSPECT, "Run again with more launches.")
    WIDE_INTERVAL = (
        "wide_interval",
        Severity.NOTE,
        "Give the bench a budget, or a longer one (BUDGET=20m): it launches again where that narrows most.",
    )
    QUICK_RUN = ("quick_run", Severity.SUSPECT, "Run again without QUICK=1 before quoting a figure.")
    MULTIMODAL = (
        "multimodal",
        Severity.SUSPECT,
        "Read the modes, not their mean, and add launches; pinned cores and fixed clocks may remove them.",
    )
    SLOW_FIRST_LAUNCH = (
        "slow_first_launch",
        Severity.SUSPECT,
        "Run again: caches were cold or a clock was ramping up when the case ran first.",
    )
    # The window.
    NOT_STEADY = ("not_steady", Severity.SUSPECT, "Raise the warm-up cap, or quieten the machine.")
    UNSTABLE = (
        "unstable",
        Severity.SUSPECT,
        "Close other programs, fix the processor's clock, and run again.",
    )
    OUTLIERS = ("outliers", Severity.NOTE, "Other work ran between: the median does not feel it, p99 does.")
    TREND = ("trend", Severity.SUSPECT, "Watch temperature and clocks: a window must not heat or speed up.")
    WARMUP_IN_WINDOW = (
        "warmup_in_window",
        Severity.SUSPECT,
        "Measure a longer window, in which its beginning weighs less: warm-up ended before the speed held.",
    )
    AUTOCORRELATED = (
        "autocorrelated",
        Severity.NOTE,
        "Measure longer or launch more often before quoting p99; the interval of p50 does not feel it.",
    )
    WINDOW_CUT = (
        "window_cut",
        Severity.NOTE,
        "Raise the batch: each inference then lasts longer, and a window holds as many as before.",
    )
    HARNESS_COST = (
        "harness_cost",
        Severity.NOTE,
        "Subtract nothing; compare such short inferences only with others measured by this suite.",
    )
    PERCENTILE_FLOOR = ("percentile_floor", Severity.NOTE, "Measure longer or launch more often to see p99.")
    # Heat and neighbours.
    THROTTLED = (
        "throttled",
        Severity.INVALID,
        "Cool the board (heatsink, fan, room), then run again: it was slowed down while measured.",
    )
    UNDER_VOLTAGE = (
        "under_voltage",
        Severity.INVALID,
        "Use a supply and a cable that hold the voltage, then run again.",
    )
    CLOCK_DROP = (
        "clock_drop",
        Severity.INVALID,
        "Fix the clock (--tune governor=performance) or cool the board, then run again.",
    )
    HOT_START = (
        "hot_start",
        Severity.SUSPECT,
        "Cool the board or raise cooldown.timeout_s of its profile: the trial began above its baseline.",
    )
    HEAT_UNOBSERVED = (
        "heat_unobserved",
        Severity.NOTE,
        "Whether the processor was slowed down could not be seen: watch the spread, and repeat the run.",
    )
    NOISY_NEIGHBOUR = (
        "noisy_neighbour",
        Severity.SUSPECT,
        "Close other programs, or use a machine of your own: something else ran during the window.",
    )
    OBSERVER_EFFECT = (
        "observer_effect",
        Severity.SUSPECT,
        "Read fewer or slower telemetry sources: watching changes this figure.",
    )
    POWER_DISAGREES = (
        "power_disagrees",
        Severity.SUSPECT,
        "Compare with a meter before quoting joules: two readers of one sensor differ.",
    )
    TUNED = ("tuned", Severity.NOTE, "Compare with untuned runs as with another machine.")
    # What could not be observed.
    CLOCK_NOT_ALIGNED = (
        "clock_not_aligned",
        Severity.NOTE,
        "Run telemetry and runner under one kernel and time namespace.",
    )
    TELEMETRY_MISSING = (
        "telemetry_missing",
        Severity.NOTE,
        "See telemetry.jsonl in the trial's folder below raw/.",
    )
    MEMORY_UNAVAILABLE = (
        "memory_unavailable",
        Severity.NOTE,
        "Use ENGINE=docker on a machine with the memory cgroup for a container's peak.",
    )
    CGROUP_MEMORY_DISABLED = (
        "cgroup_memory_disabled",
        Severity.NOTE,
        "Append cgroup_enable=memory to the kernel's command line and reboot.",
    )
    NO_POWER_SOURCE = ("no_power_source", Severity.NOTE, "Energy is unknown, not zero.")
    ENERGY_UNAVAILABLE = (
        "energy_unavailable",
        Severity.NOTE,
        "Mend what the reason names; where it says ENERGY=1, that makes windows as long as the source needs.",
    )
    # How it was measured.
    PROCESS_ENGINE = (
        "process_engine",
        Severity.NOTE,
        "Compare with container figures only on the same machine; install Docker for isolation.",
    )
    WEIGHTS_RANDOM = (
        "weights_random",
        Severity.NOTE,
        "Latency hardly depends on the weights' values, accuracy does: none is shown.",
    )

    CALIBRATION_SYNTHETIC = (
        "calibration_synthetic",
        Severity.SUSPECT,
        "Read its latency, not its outputs; MODEL@DATA calibrates on inputs of that data.",
    )
    TRAINING_CUT = (
        "training_cut",
        Severity.SUSPECT,
        "Export again with a larger budget, or without one: training goes on where it ended.",
    )

    def __init__(self, code: str, severity: Severity, advice: str):
        self.code = code
        self.severity = severity
        self.advice = advice

    def finding(self, message: str, severity: Severity | None = None) -> Finding:
        """The finding with what was seen; ``severity`` where it differs from the usual one."""
        return Finding(self.code, severity or self.severity, message, self.advice)


def verdict(findings: Iterable[Finding]) -> Verdict:
    """invalid if any finding is, else suspect if any is, else valid."""
    severities = {finding.severity for finding in findings}
    if Severity.INVALID in severities:
        return Verdict.INVALID
    return Verdict.SUSPECT if Severity.SUSPECT in severities else Verdict.VALID

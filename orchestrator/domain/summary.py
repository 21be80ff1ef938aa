"""What all launches of a case give together: one row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.domain.explanation import Execution, Note, Roofline
from orchestrator.domain.mlperf import MlperfResult
from orchestrator.domain.record import Parity, Part, Score
from orchestrator.domain.sustained import Sustained
from orchestrator.domain.words import Case, Finding, Verdict


@dataclass(frozen=True)
class Interval:
    """A two-sided 95 % confidence interval (ns)."""

    low_ns: float
    high_ns: float
    method: str


@dataclass(frozen=True)
class Quantile:
    """A quantile of the pooled window, or ``None`` with the reason (``n too small: 64 of 662``)."""

    value_ns: float | None
    reason: str | None = None


@dataclass(frozen=True)
class SpeedMode:
    """One of several speeds in which the launches of a case land (latencies in ns)."""

    p50_ns: float  # mean of its launches' medians
    launches: int
    share: float  # of all good launches
    share_low: float  # 95 % interval of the share (Wilson)
    share_high: float
    low_ns: float | None = None  # 95 % interval of p50_ns; None with fewer than 3 launches
    high_ns: float | None = None


@dataclass(frozen=True)
class Scatter:
    """Where the differences between a case's iterations come from; shares are fractions, 0.1 is 10 %."""

    within_cv: float  # stdev over mean of a window, median over launches
    between_cv: float | None  # of launch medians, less what noise of the windows alone gives; None: 1 launch
    autocorrelation: (
        float | None
    )  # of neighbouring iterations (lag 1), mean over launches; None: they are equal
    effective_iterations: float  # independent ones that would tell as much about the mean, of all launches
    p999: Quantile = Quantile(None, "no data")  # p99.9 of the pooled window


@dataclass(frozen=True)
class CaseEnergy:
    """Joules per inference of a case by one power source: mean over launches, 95 % interval between them."""

    source: str
    scope: str
    method: str
    launches: int  # that have a figure
    gross_per_inference_j: float | None = None
    gross_low_j: float | None = None
    gross_high_j: float | None = None
    net_per_inference_j: float | None = None
    net_low_j: float | None = None
    net_high_j: float | None = None
    mean_w: float | None = None
    idle_w: float | None = None
    rate_hz: float | None = None  # of readings: lowest over launches
    coverage: float | None = None  # lowest over launches
    uncertainty: float | None = None  # relative, k = 1, of one launch's gross: highest over launches
    calibrated: bool = False
    reason: str | None = None  # why there is no gross figure
    net_reason: str | None = None
    interval_reason: str | None = None  # why there is no gross_low_j and gross_high_j


@dataclass(frozen=True)
class Size:
    """How large a case's artifact is, and what accuracy it costs; unknown is None."""

    format: str
    bytes: int  # of the file that was exported; what is compiled from it has another
    deflated_bytes: int | None = None  # of its zlib stream, level 9
    parameters: int | None = None  # of the network
    nonzero_parameters: int | None = None
    macs: int | None = None  # multiply-accumulates of one input: convolutions and matrix products
    accuracy_drop_points: float | None = None  # percentage points below nq in the same place
    accuracy_drop_reason: str | None = None  # why there is none


@dataclass(frozen=True)
class CaseSummary:
    """One row of the table, computed at the end from raw data."""

    case: Case
    verdict: Verdict
    findings: tuple[Finding, ...]
    launches: int  # with status ok
    failed: int
    count: int  # pooled iterations
    p50_ns: float | None = None  # mean over launches of each launch's median
    interval: Interval | None = None  # of p50_ns
    p90: Quantile = Quantile(None, "no data")
    p99: Quantile = Quantile(None, "no data")
    mean_ns: float | None = None
    between_launch_cv: float | None = None  # stdev of launch medians / their mean
    first_ns: float | None = None  # median over launches
    load_ns: float | None = None
    rate_hz: float | None = None  # inputs per second: batch / mean latency
    artifact_bytes: int | None = None
    container_peak_bytes: int | None = None  # highest over launches, as are the next four
    load_container_peak_bytes: int | None = None
    inference_container_peak_bytes: int | None = None
    inference_container_peak_method: str | None = None  # of that launch: cgroup_peak | sampled
    vm_hwm_bytes: int | None = None
    load_vm_hwm_bytes: int | None = None
    inference_vm_hwm_bytes: int | None = None
    system_drop_bytes: int | None = None  # of the machine's available memory
    gpu_bytes: int | None = None  # of a GPU that shares the machine's memory
    temperatures_c: Mapping[str, float] = field(default_factory=dict)  # sensor -> highest in any window
    clocks_hz: Mapping[str, float] = field(default_factory=dict)  # domain -> mean over launches
    accuracy: Score | None = None
    parity: Parity | None = None  # worst over launches
    weights: str | None = None  # "pretrained", "trained", "random(0)"
    engine: str | None = None
    emulated: bool = False
    failure: str | None = None  # the first failure's reason, where no launch succeeded
    launch_p50_ns: tuple[float, ...] = ()
    parts: tuple[Part, ...] = ()  # p50_ns: median over launches of their medians
    energy: tuple[CaseEnergy, ...] = ()  # one a power source; scopes are never ranked together
    sustained: Sustained | None = None  # of one long window, where that was asked for
    artifact: Size | None = None
    execution: Execution | None = None  # None in documents of older versions
    notes: tuple[Note, ...] = ()
    roofline: Roofline | None = None  # None where no launch was good
    mlperf: MlperfResult | None = None  # where LoadGen was asked to drive a launch of it
    stability: str | None = None  # "STABLE" | "MULTIMODAL" | "UNSTABLE"; None with fewer than 3 launches
    modes: tuple[SpeedMode, ...] = ()  # by speed, where there are several; p50_ns then describes none of them
    scatter: Scatter | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object valid under ``schemas/summary.schema.json``."""
        return {**asdict(self), "case": self.case.to_json()}

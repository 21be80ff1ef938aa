"""What one launch gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.domain.words import Case, Finding, Severity, Status


@dataclass(frozen=True)
class Latency:
    """Summary of one launch's window, computed from its raw values (ns)."""

    count: int
    mean_ns: float
    stdev_ns: float
    p50_ns: float
    min_ns: int
    max_ns: int


@dataclass(frozen=True)
class Part:
    """A step of an inference (copy in, compute, copy out) timed apart, in ``count`` iterations."""

    name: str
    count: int
    p50_ns: float


@dataclass(frozen=True)
class Score:
    """Predictions against labels: ``correct`` of ``total`` inputs (top-1)."""

    correct: int
    total: int


@dataclass(frozen=True)
class Parity:
    """A runner's outputs against the PyTorch reference on the same inputs."""

    top1_equal: int
    total: int
    max_abs_difference: float | None  # None: an output was missing or not finite
    tolerance: float | None = None  # what summation order explains; None where a variant changes values
    least_equal: int | None = None  # of a lossy file, by what its exporter saw; None: all must be equal


@dataclass(frozen=True)
class Memory:
    """Peak memory as the container, the process and the whole machine have it.

    Each ``None`` has its reason in ``reasons`` under the same name; records older than a field have neither.
    ``load_*`` is from the beginning to the end of load, ``inference_*`` from there on (with the model still
    resident), no prefix means both. A ``sampled`` figure is the highest of readings: a peak between two of
    them is missed.
    """

    container_peak_bytes: int | None = None  # page cache included, as in all of the container but anon
    container_peak_method: str | None = None  # cgroup_peak | sampled
    load_container_peak_bytes: int | None = None
    load_container_peak_method: str | None = None  # cgroup_peak | sampled
    inference_container_peak_bytes: int | None = None
    inference_container_peak_method: str | None = None  # cgroup_peak | sampled
    inference_anon_peak_bytes: int | None = None  # of the container, without page cache
    inference_anon_peak_method: str | None = None  # sampled
    vm_hwm_bytes: int | None = None
    load_vm_hwm_bytes: int | None = None
    inference_vm_hwm_bytes: int | None = None
    vm_hwm_method: str | None = None  # vmhwm
    system_drop_bytes: int | None = None  # what the whole machine has less of: MemAvailable
    system_drop_method: str | None = None  # sampled
    gpu_bytes: int | None = None  # of system memory, where the GPU has none of its own
    gpu_method: str | None = None  # sampled
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Energy:
    """What one power source says of one launch's window; each ``None`` has its reason beside it.

    Joules are of the whole window unless they say ``per_inference``; net is gross less idle power times the
    window. Uncertainties are standard ones (k = 1); a gain error that nobody knows is not in them, and
    ``calibrated`` is then False.
    """

    source: str
    scope: str
    method: str  # counter | sampled | estimated
    window_ns: int
    count: int  # readings with a value that the figure rests on
    rate_hz: float | None
    coverage: float  # of the window, 0 to 1
    max_gap_ns: int
    gross_j: float | None = None
    net_j: float | None = None
    uncertainty_j: float | None = None  # of gross_j
    net_uncertainty_j: float | None = None
    gross_per_inference_j: float | None = None
    net_per_inference_j: float | None = None
    mean_w: float | None = None
    idle_w: float | None = None  # with the model loaded: mean of before and after
    idle_before_w: float | None = None
    idle_after_w: float | None = None
    idle_shift_w: float | None = None  # after less before, where chance does not explain it: net is less sure
    calibrated: bool = False
    reason: str | None = None  # why gross_j is None
    net_reason: str | None = None


@dataclass(frozen=True)
class TrialRecord:
    """One line of ``trials.jsonl``: what one launch gave. Raw data lies in files named by ``files``."""

    trial: str
    case: Case
    launch: int
    status: Status
    reason: str | None
    engine: str
    started_utc: str
    wall_ns: int
    emulated: bool = False  # also in records older than this field; run.json then tells
    exit_code: int | None = None
    versions: Mapping[str, str | None] = field(default_factory=dict)  # suite protocol sdk runtime
    image: str | None = None  # image digest, or None under the process engine
    artifact_sha256: str | None = None
    artifact: Mapping[str, Any] = field(default_factory=dict)  # format bytes weights weights_reason reference
    cores: tuple[int, ...] = ()  # the runner's; empty in records older than this field
    phases_ns: Mapping[str, int] = field(default_factory=dict)  # duration of each finished phase
    steady: bool | None = None
    first_ns: int | None = None
    harness_p50_ns: float | None = None
    loop_overhead_ns: float | None = None  # (window - sum of latencies) / iterations
    latency: Latency | None = None
    parts: tuple[Part, ...] = ()
    memory: Memory | None = None
    accuracy: Score | None = None
    parity: Parity | None = None
    placement: Mapping[str, Any] | None = None  # requested, executed, notes
    telemetry: Mapping[str, Any] = field(default_factory=dict)  # per source: summary or reason
    energy: tuple[Energy, ...] = ()  # one a power source
    cooldown: Mapping[str, Any] | None = None  # waited_ns baseline_c start_c hot (why it began hot, or None)
    findings: tuple[Finding, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # name below raw/<n>/ -> SHA-256

    def to_json(self) -> dict[str, Any]:
        """A JSON object valid under ``schemas/trial.schema.json``."""
        return {**asdict(self), "case": self.case.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrialRecord:
        """The inverse of :meth:`to_json`; unknown fields are refused by the constructor."""

        def build(kind: Any, value: Any) -> Any:
            return None if value is None else kind(**value)

        return cls(
            **{
                **data,
                "case": Case.from_json(data["case"]),
                "status": Status(data["status"]),
                "cores": tuple(data.get("cores", ())),
                "latency": build(Latency, data["latency"]),
                "parts": tuple(Part(**part) for part in data.get("parts", ())),
                "energy": tuple(Energy(**figure) for figure in data.get("energy", ())),
                "memory": build(Memory, data["memory"]),
                "accuracy": build(Score, data["accuracy"]),
                "parity": build(Parity, data["parity"]),
                "findings": tuple(
                    Finding(**{**item, "severity": Severity(item["severity"])}) for item in data["findings"]
                ),
            }
        )

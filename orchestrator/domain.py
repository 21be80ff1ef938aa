"""The words of the suite as types. Pure: no input or output, no import of ours.

Units are suffixes of field names (``_ns``, ``_bytes``, ``_c``, ``_hz``). ``None`` means unknown,
and wherever a value is ``None`` a reason stands in a finding or in a ``reasons`` mapping beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class InferometerError(Exception):
    """A refusal the user can act on: one line naming the file, the field and the fix."""


class Status(str, Enum):
    """How a trial ended."""

    OK = "ok"
    ERROR = "error"  # the runner said error{...}
    CRASHED = "crashed"  # died without a last line: signal or exit code
    TIMEOUT = "timeout"
    OOM = "oom"
    PROTOCOL = "protocol"  # what it wrote is no transcript
    LAUNCH = "launch"  # the engine could not start it


class Severity(str, Enum):
    """What a finding does to the verdict."""

    NOTE = "note"
    SUSPECT = "suspect"
    INVALID = "invalid"


class Verdict(str, Enum):
    """Whether a figure can be believed; derived from the findings."""

    VALID = "valid"
    SUSPECT = "suspect"
    INVALID = "invalid"


@dataclass(frozen=True)
class Finding:
    """A coded warning with advice."""

    code: str
    severity: Severity
    message: str
    advice: str = ""


@dataclass(frozen=True)
class Case:
    """device x runtime x model x variant x batch x threads x options."""

    device: str
    runtime: str
    model: str
    variant: str = "nq"
    batch: int = 1
    threads: int = 1
    options: tuple[tuple[str, str], ...] = ()
    accelerator: str = "cpu"

    @property
    def id(self) -> str:
        """Unique and stable: ``x86/pytorch/resnet50/nq/b1/t1/mode=eager``; another accelerator is named."""
        head = f"{self.device}/{self.runtime}/{self.model}/{self.variant}/b{self.batch}/t{self.threads}"
        where = [] if self.accelerator == "cpu" else [self.accelerator]
        return "/".join([head, *where, *(f"{name}={value}" for name, value in sorted(self.options))])

    @property
    def runtime_label(self) -> str:
        """The runtime with its options, as tables show it: ``pytorch (eager)``."""
        words = [] if self.accelerator == "cpu" else [self.accelerator]
        words += [value for _, value in sorted(self.options)]
        return f"{self.runtime} ({', '.join(words)})" if words else self.runtime

    def to_json(self) -> dict[str, Any]:
        """A JSON object; options become an object."""
        return {**asdict(self), "options": dict(self.options)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Case:
        """The inverse of :meth:`to_json`."""
        return cls(**{**data, "options": tuple(sorted(data["options"].items()))})


@dataclass(frozen=True)
class Trial:
    """One planned launch of a case; ``launch`` counts from 0 within the case."""

    case: Case
    launch: int

    @property
    def id(self) -> str:
        """The case id with the launch number; also the key of resuming."""
        return f"{self.case.id}#{self.launch}"


@dataclass(frozen=True)
class Skip:
    """A case that will not run, and why."""

    case: Case
    reason: str


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


@dataclass(frozen=True)
class Memory:
    """Peak memory; each ``None`` has its reason in ``reasons`` under the same name."""

    container_peak_bytes: int | None = None
    container_peak_method: str | None = None  # cgroup_peak | sampled
    vm_hwm_bytes: int | None = None
    load_vm_hwm_bytes: int | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


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
                "memory": build(Memory, data["memory"]),
                "accuracy": build(Score, data["accuracy"]),
                "parity": build(Parity, data["parity"]),
                "findings": tuple(
                    Finding(**{**item, "severity": Severity(item["severity"])}) for item in data["findings"]
                ),
            }
        )


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
    container_peak_bytes: int | None = None  # highest over launches, as is the next
    vm_hwm_bytes: int | None = None
    accuracy: Score | None = None
    parity: Parity | None = None  # worst over launches
    weights: str | None = None  # "pretrained", "trained", "random(0)"
    engine: str | None = None
    emulated: bool = False
    failure: str | None = None  # the first failure's reason, where no launch succeeded
    launch_p50_ns: tuple[float, ...] = ()
    parts: tuple[Part, ...] = ()  # p50_ns: median over launches of their medians

    def to_json(self) -> dict[str, Any]:
        """A JSON object valid under ``schemas/summary.schema.json``."""
        return {**asdict(self), "case": self.case.to_json()}

"""What is asked for and how it ends: cases, trials, findings, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

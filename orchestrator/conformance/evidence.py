"""What one launch left behind, read strictly: every line with its message or with what is wrong with it.

Unlike :mod:`orchestrator.wire`, which stops at the first violation, this keeps reading, so that one
launch can testify about several clauses.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.engines.launch import Outcome

Message = dict[str, Any]
_VERSION = re.compile(r"1\.([0-9]{1,9})\.[0-9]+")


@dataclass(frozen=True)
class Line:
    """One line of standard output; ``message`` is None where ``problem`` says why it is no protocol line."""

    number: int
    message: Message | None
    problem: str | None = None


@dataclass(frozen=True)
class Mark:
    """A phase's edge as the runner sent it; ``line`` is the number of its line."""

    name: str
    edge: str
    t_ns: int
    line: int


def read_lines(data: bytes) -> tuple[Line, ...]:
    """Standard output as lines."""
    found = []
    for number, raw in enumerate(_split(data), 1):
        problem = None
        message: Any = None
        if not raw.endswith(b"\n"):
            problem = f"is cut off: {_quote(raw)}"
        else:
            try:
                message = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
            except UnicodeDecodeError:
                problem = f"is not UTF-8: {_quote(raw)}"
            except (ValueError, RecursionError):
                problem = f"is not JSON: {_quote(raw)}"
            else:
                if not isinstance(message, dict) or not isinstance(message.get("type"), str):
                    problem = f"is no object with a string `type`: {_quote(raw)}"
        found.append(Line(number, None if problem else message, problem))
    return tuple(found)


def _split(data: bytes) -> list[bytes]:
    # Not splitlines: it also breaks at a lone carriage return, which is no line end here.
    parts = [part + b"\n" for part in data.split(b"\n")]
    parts[-1] = parts[-1][:-1]
    return parts if parts[-1] else parts[:-1]


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _quote(raw: bytes) -> str:
    text = raw[:60].decode("utf-8", "replace").rstrip("\n")
    return repr(text) + ("..." if len(raw) > 60 else "")


@dataclass(frozen=True)
class Evidence:
    """One launch, its request and what came of it.

    ``asked`` is the request as an object (empty where it was none), ``grown_ns`` when the host saw
    either stream grow, ``signalled_ns`` when SIGTERM was sent; all times CLOCK_MONOTONIC of the host.
    """

    scenario: str
    command: str
    asked: Mapping[str, Any]
    outcome: Outcome
    lines: tuple[Line, ...]
    stderr_bytes: int = 0
    grown_ns: tuple[int, ...] = ()
    signalled_ns: int | None = None
    timeout_s: float = 0.0

    def of(self, kind: str) -> list[Message]:
        """The messages of one type, in order."""
        return [message for _, message in self.numbered(kind)]

    def numbered(self, kind: str) -> list[tuple[int, Message]]:
        """The messages of one type with their line numbers."""
        found = ((line.number, line.message) for line in self.lines if line.message)
        return [(number, message) for number, message in found if message["type"] == kind]

    @cached_property
    def hello(self) -> Message:
        """The first hello, empty where none came."""
        return next(iter(self.of("hello")), {})

    @cached_property
    def minor(self) -> int:
        """The highest minor version of protocol 1 that hello lists; 0 where there is none."""
        told = self.hello.get("protocols")
        texts = [text for text in told if isinstance(text, str)] if isinstance(told, list) else []
        found = [_VERSION.fullmatch(text) for text in texts]
        return max((int(version[1]) for version in found if version), default=0)

    @cached_property
    def error(self) -> Message | None:
        """The first error."""
        return next(iter(self.of("error")), None)

    @property
    def finished(self) -> bool:
        """Whether it reached ``done`` (``describe``: ``hello`` without an error)."""
        return bool(self.of("done")) or (self.command == "describe" and bool(self.hello) and not self.error)

    @cached_property
    def marks(self) -> list[Mark]:
        """All well-formed marks in the order of their lines."""
        return [
            Mark(message["name"], message["edge"], message["t_ns"], number)
            for number, message in self.numbered("phase")
            if isinstance(message.get("name"), str)
            and message.get("edge") in ("start", "end")
            and isinstance(message.get("t_ns"), int)
        ]

    def mark(self, name: str, edge: str) -> Mark | None:
        """One edge of a phase, None where it was not sent."""
        return next((mark for mark in self.marks if (mark.name, mark.edge) == (name, edge)), None)

    def window(self, name: str) -> tuple[int, int] | None:
        """A finished phase as (start, end) in ns of the runner's clock."""
        start, end = self.mark(name, "start"), self.mark(name, "end")
        return (start.t_ns, end.t_ns) if start and end else None

    def chunks(self, phase: str) -> list[tuple[int, int, list[int]]]:
        """The well-formed latency chunks of a phase: (line number, start, values)."""
        return [
            (number, message["start"], message["values_ns"])
            for number, message in self.numbered("latencies")
            if message.get("phase") == phase
            and isinstance(message.get("start"), int)
            and isinstance(message.get("values_ns"), list)
            and all(isinstance(value, int) for value in message["values_ns"])
        ]

    def values_ns(self, phase: str) -> list[int]:
        """All latencies of a phase."""
        return [value for _, _, values in self.chunks(phase) for value in values]

    @property
    def ending(self) -> str:
        """How the launch ended, in a few words."""
        outcome = self.outcome
        if outcome.problem:
            return f"could not be launched: {outcome.problem}"
        if outcome.overflow:
            return outcome.overflow
        if outcome.timed_out:
            return f"no end within {self.timeout_s:g} s"
        if outcome.oom_killed:
            return "killed for lack of memory"
        if outcome.signal is not None:
            return f"killed by {_signal_name(outcome.signal)}"
        if self.error:
            return f"answered error/{self.error.get('code')} ({self.error.get('message')})"
        if self.finished:
            return f"finished, exit status {outcome.exit_code}"
        return f"exit status {outcome.exit_code} without a last line"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

"""All checks in the order of their clauses, and how one of them becomes a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from orchestrator import lock, wire
from orchestrator.conformance import answers, content, driver, endings, life, stream
from orchestrator.conformance.launches import Launches, NotProvoked
from orchestrator.conformance.subject import Subject, reasons
from orchestrator.domain import InferometerError


class State(str, Enum):
    """What a check found."""

    OK = "ok"
    VIOLATED = "VIOLATED"
    SKIPPED = "skipped"  # with a written reason of the runner's
    NOT_PROVOKED = "not provoked"  # could not be made; the reason is said


@dataclass(frozen=True)
class Check:
    """One question about one clause; ``find`` yields violations and may raise NotProvoked."""

    clause: str
    name: str
    title: str
    find: Callable[[Launches], Iterator[str]]
    last: bool = False  # judges all launches, so the others are made first


@dataclass(frozen=True)
class Result:
    """The answer: violations, or the one reason of a check that was not made."""

    clause: str
    name: str
    title: str
    state: State
    details: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {**asdict(self), "state": self.state.value, "details": list(self.details)}


CHECKS = (
    Check("C1", "commands", "knows its four commands", answers.commands),
    Check("C2", "requests", "a missing or malformed request is error/protocol", answers.requests),
    Check("C3", "purity", "stdout carries protocol lines only, at import too", stream.pure, last=True),
    Check("C4", "stderr", "10 MB of stderr do not block", endings.unblocked),
    Check(
        "C5",
        "exit-status",
        "exit status 0 exactly after done, and nothing follows",
        stream.exit_status,
        last=True,
    ),
    Check("C6", "sigterm", "gone within 5 s of SIGTERM", endings.gone),
    Check("C6", "sigterm-pid1", "gone within 5 s of SIGTERM as PID 1", endings.gone_as_first),
    Check(
        "C7",
        "foreign-protocol",
        "another protocol is error/protocol with versions",
        answers.foreign_protocol,
    ),
    Check("C8", "hello", "hello is the first line", stream.hello_first, last=True),
    Check("C9", "schema", "every line is valid under the schema", stream.valid, last=True),
    Check("C10", "phases", "phases in order, both edges, no overlap", life.ordered),
    Check("C11", "clock", "marks lie inside the host's interval", life.in_interval),
    Check("C12", "window", "nothing but inferences in the window, latencies after it", life.window_kept),
    Check("C13", "contiguous", "latencies join, and done counts them", life.contiguous),
    Check("C14", "floors", "minima and maximum of the window hold", life.floors),
    Check("C15", "synchronised", "an inference ends when its outputs are readable", content.synchronised),
    Check("C16", "repeatable", "the same request gives the same outputs", content.repeatable),
    Check("C17", "no-model", "a file that is no model is error/model", answers.no_model),
    Check("C17", "wrong-file", "a wrong SHA-256 or a missing file is error/model", answers.wrong_file),
    Check("C18", "placement", "placement agrees with the request and with itself", content.placed),
    Check("C19", "probe", "probe tells what the place can do, or is refused", answers.probed),
    Check("C20", "driver", "LoadGen drives the window, or is refused", driver.driven),
    Check("S2", "unknown-fields", "unknown fields of a request are ignored", answers.unknown_fields),
    Check("S2", "unknown-options", "an unknown option is error/unsupported", answers.unknown_options),
    Check("S3", "messages", "each message where and as often as it must come", content.complete),
    Check("S4", "walk", "first is one inference, warm-up is capped, idle is idle", life.walked),
    Check("S5", "inspect", "describe says hello alone, inspect the signature", answers.inspected),
    Check("S5", "compile", "compile makes what it announces, or is error/unsupported", answers.compiled),
    Check("S6", "limits", "no endless line, no endless transcript", stream.within_limits, last=True),
)
# Clauses without a number of their own go by the section of PROTOCOL.md: S2 is its section 2.
KEYS = tuple(dict.fromkeys([check.clause for check in CHECKS] + [check.name for check in CHECKS]))


def select(keys: Sequence[str]) -> tuple[Check, ...]:
    """The checks of these clauses or names; all for none. Raises InferometerError for an unknown one."""
    for key in keys:
        if key not in KEYS:
            raise InferometerError(f"no clause or check is called {key}; known: {', '.join(KEYS)}")
    return tuple(check for check in CHECKS if not keys or {check.clause, check.name} & set(keys))


def judge(launches: Launches, checks: Sequence[Check], skips: Mapping[str, str]) -> list[Result]:
    """Every check's result, in the order of ``checks``."""
    found = {}
    for check in sorted(checks, key=lambda check: check.last):
        reason = skips.get(check.name) or skips.get(check.clause)
        found[check.name] = _skipped(check, reason) if reason else _judge(launches, check)
    return [found[check.name] for check in checks]


def _skipped(check: Check, reason: str) -> Result:
    return Result(check.clause, check.name, check.title, State.SKIPPED, (reason,))


def _judge(launches: Launches, check: Check) -> Result:
    violations: list[str] = []
    state = State.OK
    try:
        for violation in check.find(launches):
            violations.append(violation)
    except NotProvoked as reason:
        if not violations:
            return Result(check.clause, check.name, check.title, State.NOT_PROVOKED, (str(reason),))
    if violations:
        state = State.VIOLATED
    return Result(check.clause, check.name, check.title, state, tuple(violations))


def run(
    subject: Subject, checks: Sequence[Check], keep: Path | None, say: Callable[[str], None]
) -> tuple[Launches, list[Result]]:
    """Judge a subject. ``keep``: a new folder for what was seen. Raises InferometerError."""
    skips = reasons(subject.runtime, KEYS)
    with ExitStack() as stack:
        if subject.engine.name == "docker":
            # Alone, so that what an earlier one left behind can be told from what another needs now.
            stack.enter_context(lock.hold("a conformance check"))
            subject.engine.clean()
        launches = Launches(subject, _scratch(keep, stack), say)
        return launches, judge(launches, checks, skips)


def _scratch(keep: Path | None, stack: ExitStack) -> Path:
    if keep is None:
        return Path(stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
    try:
        keep.mkdir(parents=True)
    except OSError as problem:
        raise InferometerError(f"--keep {keep}: {problem.strerror}; name a new folder") from None
    return keep.resolve()


def document(launches: Launches, results: Sequence[Result]) -> dict[str, Any]:
    """What ``--json`` prints."""
    subject, seen = launches.subject, launches.taken()
    hello = seen[0].hello if seen else {}
    return {
        "schema": 1,
        "protocol": wire.PROTOCOL,
        "subject": subject.name,
        "runtime": hello.get("runtime"),
        "version": hello.get("version"),
        "engine": subject.engine.name,
        "format": subject.material.format,
        "launches": len(seen),
        "violations": sum(result.state is State.VIOLATED for result in results),
        "checks": [result.to_json() for result in results],
    }

"""Clauses about what every launch writes and how it ends, whatever it was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.conformance.evidence import Evidence, Message
from orchestrator.conformance.launches import Launches

_QUOTE = 160


def _each(launches: Launches, judge: Callable[[Evidence], str | None]) -> Iterator[str]:
    """One verdict a launch; the three commonest are made first where nothing else asked for them."""
    for name in ("describe", "inspect", "run"):
        launches.take(name)
    for evidence in launches.taken():
        problem = judge(evidence)
        if problem:
            yield f"{evidence.scenario}: {problem}"


def pure(launches: Launches) -> Iterator[str]:
    """C3: standard output carries protocol lines only."""
    return _each(launches, _impurity)


def _impurity(evidence: Evidence) -> str | None:
    outcome = evidence.outcome
    lines = evidence.lines
    if lines and (
        outcome.signal is not None or outcome.timed_out or outcome.overflow or evidence.signalled_ns
    ):
        lines = lines[:-1]  # who is killed may leave half a line
    line = next((line for line in lines if line.problem), None)
    return f"line {line.number} {line.problem}" if line else None


def exit_status(launches: Launches) -> Iterator[str]:
    """C5: exit status 0 if and only if the last line is ``done``, and nothing after the last line."""
    return _each(launches, _wrong_end)


def _wrong_end(evidence: Evidence) -> str | None:
    ended = [line for line in evidence.lines if line.message and line.message["type"] in ("done", "error")]
    if ended and ended[0].number < len(evidence.lines):
        assert ended[0].message
        kind, more = ended[0].message["type"], len(evidence.lines) - ended[0].number
        return f"after `{kind}` on line {ended[0].number} {more} more line(s) follow"
    code = evidence.outcome.exit_code
    if code is None:
        return None
    last = evidence.lines[-1].message if evidence.lines else None
    kind = last["type"] if last else "no protocol line"
    success = "hello" if evidence.command == "describe" else "done"
    if (code == 0) == (kind == success):
        return None
    return f"exit status {code}, but the last line is {kind}"


def hello_first(launches: Launches) -> Iterator[str]:
    """C8: the first line of every command is ``hello``, and there is one of it."""
    return _each(launches, _no_hello)


def _no_hello(evidence: Evidence) -> str | None:
    if not evidence.lines:
        if evidence.outcome.exit_code is None:
            return None  # who is killed may have said it and not flushed it; the clause of the launch tells
        return f"nothing on standard output ({evidence.ending})"
    # Lines that are no messages are another clause's matter.
    kinds = [line.message["type"] for line in evidence.lines if line.message]
    if kinds and kinds[0] != "hello":
        return f"the first message is {kinds[0]}"
    return f"{kinds.count('hello')} hello lines" if kinds.count("hello") > 1 else None


def within_limits(launches: Launches) -> Iterator[str]:
    """Section 6: no endless line, no endless transcript."""
    return _each(launches, lambda evidence: evidence.outcome.overflow)


def valid(launches: Launches) -> Iterator[str]:
    """C9: every line is valid under the schema."""
    root = Path(__file__).resolve().parents[2]
    validator = _validator(root / "runners" / "protocol" / "v1.schema.json")

    def judge(evidence: Evidence) -> str | None:
        for line in evidence.lines:
            problem = line.message and _invalidity(validator, line.message)
            if problem:
                return f"line {line.number} ({line.message and line.message['type']}): {problem}"
        return None

    return _each(launches, judge)


@cache
def _validator(path: Path) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    # JSON Schema takes 1.0 for an integer, PROTOCOL.md does not.
    kinds = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    strict: Any = extend(Draft202012Validator, type_checker=kinds)  # type: ignore[no-untyped-call]
    return strict(json.loads(path.read_bytes()))


def _invalidity(validator: Any, message: Message) -> str | None:
    error = next(validator.iter_errors(message), None)
    return None if error is None else f"{error.json_path}: {error.message[:_QUOTE]}"

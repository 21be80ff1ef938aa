"""Each way to break the contract is caught and called by its clause, and by no other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.conformance.suite import State

from .conftest import Judge, violated

PUPPET, DRIVEN = (Path(__file__).with_name(name) for name in ("puppet.py", "driven.py"))
# A sin is judged by the checks around it, not by all: some take seconds, some take thirty launches.
STREAM = ("C1", "C3", "C5", "C8", "C9", "S6")
LIFE = ("C10", "C11", "C12", "C13", "C14", "C15", "C16", "C18", "C19", "S3", "S4", "S5")
ANSWERS = ("C2", "C7", "C17", "S2")
PATIENCE_S = {"hang-on-empty": 3.0, "unread-stderr": 5.0}

SINS = {
    "crash": {"C1"},
    "hang-on-empty": {"C2"},
    "vague": {"C2"},
    "import-noise": {"C3"},
    "latin": {"C3"},
    "unread-stderr": {"C4"},
    "gloomy": {"C5"},
    "cheerful": {"C5"},
    "after-done": {"C5"},
    "stubborn": {"C6"},
    "any-protocol": {"C7"},
    "secretive": {"C7"},
    "from-the-future": {"C7"},
    "late-hello": {"C8"},
    "schema": {"C9"},
    "overlap": {"C10"},
    "unsettled": {"C10"},
    "backwards": {"C10"},
    "sleepless": {"C10"},
    "wall-clock": {"C11"},
    "foreign-boot": {"C11"},
    "early-latencies": {"C12"},
    "early-riser": {"C12"},
    "impatient": {"C12"},
    "chatty": {"C12"},
    "idler": {"C12"},
    "inflated": {"C12"},
    "gap": {"C13"},
    "miscount": {"C13"},
    "few": {"C14"},
    "hasty": {"C14"},
    "overlong": {"C14"},
    "random": {"C16"},
    "any-model": {"C17"},
    "vague-model": {"C17"},
    "any-hash": {"C17"},
    "deaf": {"C18"},
    "braggart": {"C18"},
    "boaster": {"C19"},
    "uncounted": {"C18"},
    "strict": {"S2"},
    "any-option": {"S2"},
    "twice": {"S3"},
    "no-harness": {"S3"},
    "unreasoned": {"S3"},
    "misshapen": {"S3"},
    "miscounted": {"S3"},
    "lazy": {"S3"},
    "two-first": {"S4"},
    "eager": {"S4"},
    "unsteady": {"S4"},
    "restless": {"S4"},
    "short-sleeper": {"S4"},
    "busy-inspect": {"S5"},
    "liar": {"S5"},
    "stray": {"S5"},
    # Two clauses are broken by one line.
    "nan": {"C3", "S3"},
    "talkative": {"C5", "S5"},
}


def around(expected: set[str]) -> Sequence[str]:
    """The checks that could take the blame."""
    return next((group for group in (LIFE, ANSWERS) if expected & set(group)), ())


def marked(sin: str) -> object:
    """Whether a window is silent shows on a quiet machine alone."""
    is_timed = "C12" in around(SINS[sin])
    return pytest.param(sin, marks=pytest.mark.quiet) if is_timed else sin


@pytest.mark.parametrize("sin", [marked(sin) for sin in SINS])
def test_a_sin_is_called_by_its_clause(judge: Judge, sin: str) -> None:
    expected = SINS[sin]
    checks = {*STREAM, *around(expected), *expected}
    command, patience_s = f"{PUPPET} {sin}", PATIENCE_S.get(sin, 20.0)
    results = judge(command, checks, timeout_s=patience_s)
    if violated(results) == expected | {"C12"} != expected:
        # Other work on the machine breaks the silence of a window, but not twice.
        results = judge(command, checks, timeout_s=patience_s)
    assert violated(results) == expected, [result for result in results.values() if result.details]


def test_a_signal_answered_with_success_breaks_the_exit_status(judge: Judge) -> None:
    assert violated(judge(f"{PUPPET} polite", ("C5", "C6"))) == {"C5"}


@pytest.mark.quiet
@pytest.mark.parametrize("virtue", ["none", "compiler", "prober", "unflushed", "older"])
def test_an_honest_runner_passes(judge: Judge, virtue: str) -> None:
    results = judge(f"{PUPPET} {virtue}")
    unchecked = {name for name, result in results.items() if result.state is State.NOT_PROVOKED}
    assert violated(results) == set(), [result for result in results.values() if result.details]
    # A small interpreter has too little to say about itself for 10 MB.
    assert unchecked == {"stderr", "sigterm-pid1", "synchronised", "driver"}


@pytest.mark.parametrize("sin", ["careless", "silent", "other-scenario", "logless", "impatient"])
def test_a_sin_with_a_driver_is_called_by_its_clause(judge: Judge, sin: str) -> None:
    results = judge(f"{DRIVEN} {sin}", {*STREAM, "C20"})
    assert violated(results) == {"C20"}, [result for result in results.values() if result.details]


@pytest.mark.quiet
def test_an_honest_driver_passes(judge: Judge) -> None:
    results = judge(f"{DRIVEN} none")
    assert violated(results) == set(), [result for result in results.values() if result.details]
    assert results["driver"].state is State.OK


@pytest.mark.parametrize(
    ("command", "reason"),
    [(f"{PUPPET} none", "no version from 1.3.0 on"), (f"{DRIVEN} driverless", "no such driver")],
)
def test_who_has_no_driver_is_passed_over_with_the_reason(judge: Judge, command: str, reason: str) -> None:
    result = judge(command, ("C20",))["driver"]
    assert result.state is State.NOT_PROVOKED
    assert reason in result.details[0]


def test_what_cannot_be_provoked_says_why(judge: Judge) -> None:
    results = judge(f"{PUPPET} none", ("C4", "C15"))
    assert "LD_DEBUG" in results["stderr"].details[0]
    assert "outside" in results["synchronised"].details[0]

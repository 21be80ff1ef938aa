"""How a trial ended: each way to fail has its status and one line that names the cause."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import wire
from orchestrator.diagnosis import diagnose
from orchestrator.domain import Status
from orchestrator.engines.launch import Outcome
from tests.support import transcripts

ALIVE = Outcome(0, 10**9, exit_code=0)


def whole(**fields: Any) -> list[dict[str, Any]]:
    return [{**message, **fields.get(message["type"], {})} for message in transcripts.run([100, 200, 300])]


def judged(outcome: Outcome, messages: list[dict[str, Any]]) -> tuple[Status, str | None]:
    return diagnose(outcome, wire.read(transcripts.lines(messages)), 30.0, 2**30)


def error(code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": message, "details": {}}


def without(kind: str) -> list[dict[str, Any]]:
    return [message for message in whole() if message["type"] != kind]


def test_a_whole_transcript_is_ok() -> None:
    assert judged(ALIVE, whole()) == (Status.OK, None)


MEASURE = next(message for message in whole() if message.get("name") == "measure")


@pytest.mark.parametrize(
    ("outcome", "messages", "status", "reason"),
    [
        (Outcome(0, 1, problem="cannot start x"), [], Status.LAUNCH, "cannot start x"),
        (
            Outcome(0, 1, oom_killed=True, signal=9),
            whole()[:4],
            Status.OOM,
            "killed for lack of memory in phase load, limit of 1073741824 bytes; "
            "free memory or use a smaller model",
        ),
        (
            Outcome(0, 1, timed_out=True),
            whole()[:2],
            Status.TIMEOUT,
            "no end within 30 s in phase import; raise --timeout or look at its log",
        ),
        (Outcome(0, 1, overflow="a long line"), whole(), Status.PROTOCOL, "a long line"),
        (Outcome(0, 1, signal=11), whole()[:4], Status.CRASHED, "killed by SIGSEGV in phase load"),
        (Outcome(0, 1, signal=11), [], Status.CRASHED, "killed by SIGSEGV"),
        (Outcome(0, 1, signal=11), whole()[:5], Status.CRASHED, "killed by SIGSEGV after phase load"),
        (
            Outcome(0, 1, signal=11),
            whole()[: whole().index(MEASURE) - 1],
            Status.CRASHED,
            "killed by SIGSEGV in phase settle, measure or idle_after",
        ),
        (Outcome(0, 1, signal=99), [], Status.CRASHED, "killed by signal 99"),
        (
            Outcome(0, 1, exit_code=1),
            [transcripts.hello(), error("model", "no such file")],
            Status.ERROR,
            "model: no such file",
        ),
        (
            Outcome(0, 1, exit_code=70),
            whole()[:4],
            Status.CRASHED,
            "exit status 70 without a last line in phase load",
        ),
        (Outcome(0, 1, exit_code=0), [], Status.CRASHED, "exit status 0 without a last line"),
        (Outcome(0, 10**9, exit_code=3), whole(), Status.PROTOCOL, "exit status 3 after done"),
        (
            ALIVE,
            whole(done={"iterations": 4}),
            Status.PROTOCOL,
            "stdout line 28: done.iterations is 4, but 3 latencies arrived",
        ),
        (ALIVE, without("placement"), Status.PROTOCOL, "done without placement"),
        (ALIVE, without("footprint"), Status.PROTOCOL, "done without footprint"),
        (
            ALIVE,
            [transcripts.hello(), {"type": "done", "iterations": 0}],
            Status.PROTOCOL,
            "done without latencies of measure, latencies of first, placement, footprint",
        ),
        (
            Outcome(0, 1000, exit_code=0),
            whole(),
            Status.PROTOCOL,
            "phase marks lie outside the time the host saw the runner alive",
        ),
        (
            ALIVE,
            whole(placement={"requested": "npu", "executed": {"cpu": 7}}),
            Status.ERROR,
            "accelerator: npu was asked for, executed on cpu",
        ),
    ],
)
def test_every_way_to_fail(
    outcome: Outcome, messages: list[dict[str, Any]], status: Status, reason: str
) -> None:
    assert judged(outcome, messages) == (status, reason)


def test_what_the_runner_said_fits_one_line() -> None:
    said = error("internal", "first line\n  second\tline\r\n" + "x" * 10**6)
    status, reason = judged(Outcome(0, 1, exit_code=1), [transcripts.hello(), said])
    assert status is Status.ERROR
    assert reason is not None
    assert reason.startswith("internal: first line second line xxx")
    assert len(reason) < 600


outcomes = st.builds(
    Outcome,
    st.integers(0, 10**4),
    st.integers(10**4, 10**9),
    st.none() | st.integers(0, 255),
    st.none() | st.integers(1, 99),
    st.booleans(),
    st.booleans(),
    st.none() | st.text(min_size=1, max_size=30),
    st.none() | st.text(min_size=1, max_size=30),
)


@given(outcomes, transcripts.damaged())
def test_a_failure_has_a_reason_and_success_none(outcome: Outcome, messages: list[dict[str, Any]]) -> None:
    status, reason = judged(outcome, messages)
    assert (status is Status.OK) == (reason is None)
    if reason is not None:
        assert reason
        assert len(reason.splitlines()) == 1

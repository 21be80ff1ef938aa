"""How a launch ended: one status and one line that names the cause. Pure."""

from __future__ import annotations

import signal

from orchestrator import measurement, wire
from orchestrator.domain import Status
from orchestrator.engines.launch import Outcome

_REASON_CHARACTERS = 500


def diagnose(
    outcome: Outcome, transcript: wire.Transcript, timeout_s: float, memory_bytes: int | None
) -> tuple[Status, str | None]:
    """How the trial ended, in one line that names the cause."""
    status, reason = _judge(outcome, transcript, timeout_s, memory_bytes)
    return status, reason and _one_line(reason)


def _one_line(text: str) -> str:
    # Runners and engines say what they like; a row has room for this much.
    line = " ".join(text.split()) or repr(text)
    return line if len(line) <= _REASON_CHARACTERS else line[:_REASON_CHARACTERS] + "..."


def _judge(
    outcome: Outcome, transcript: wire.Transcript, timeout_s: float, memory_bytes: int | None
) -> tuple[Status, str | None]:
    where = _where(transcript)
    if outcome.problem:
        return Status.LAUNCH, outcome.problem
    if outcome.oom_killed:
        limit = f" of {memory_bytes} bytes" if memory_bytes else ""
        return (
            Status.OOM,
            f"killed for lack of memory{where}, limit{limit}; free memory or use a smaller model",
        )
    if outcome.timed_out:
        return Status.TIMEOUT, f"no end within {timeout_s:g} s{where}; raise --timeout or look at its log"
    if outcome.overflow:
        return Status.PROTOCOL, outcome.overflow
    if outcome.signal is not None:
        return Status.CRASHED, f"killed by {_signal_name(outcome.signal)}{where}"
    if transcript.error:
        return Status.ERROR, f"{transcript.error['code']}: {transcript.error['message']}"
    if transcript.violation:
        return Status.PROTOCOL, f"stdout {transcript.violation}"
    if not transcript.done:
        return Status.CRASHED, f"exit status {outcome.exit_code} without a last line{where}"
    if outcome.exit_code != 0:
        return Status.PROTOCOL, f"exit status {outcome.exit_code} after done"
    return _complete(outcome, transcript)


def _where(transcript: wire.Transcript) -> str:
    """The phase in which a runner ended that said no more."""
    if transcript.open_phase == "settle":
        # The marks between them are sent together, after the last.
        return " in phase settle, measure or idle_after"
    if transcript.open_phase:
        return f" in phase {transcript.open_phase}"
    return f" after phase {list(transcript.marks)[-1]}" if transcript.marks else ""


def _complete(outcome: Outcome, transcript: wire.Transcript) -> tuple[Status, str | None]:
    missing = [
        name
        for name, value in (
            ("latencies of measure", transcript.latencies_ns.get("measure")),
            ("latencies of first", transcript.latencies_ns.get("first")),
            ("placement", transcript.placement),
            ("footprint", transcript.footprint),
        )
        if not value
    ]
    if missing:
        return Status.PROTOCOL, f"done without {', '.join(missing)}"
    marks = [mark for pair in transcript.marks.values() for mark in pair]
    if not all(outcome.started_ns <= mark <= outcome.ended_ns for mark in marks):
        return Status.PROTOCOL, "phase marks lie outside the time the host saw the runner alive"
    fallback = measurement.fallback(transcript.placement or {})
    if fallback:
        return Status.ERROR, f"accelerator: {fallback}"
    return Status.OK, None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

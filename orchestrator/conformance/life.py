"""Clauses about the life of a run: phases, clock, window, latencies, floors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from orchestrator.conformance.evidence import Evidence
from orchestrator.conformance.launches import Launches, NotProvoked
from orchestrator.conformance.scenarios import MAXIMUM
from orchestrator.measurement import align

RUNS = ("run", "run again", "run by count", "run to a maximum")
_ALWAYS = ("import", "load", "first", "warmup")
# What two clock reads, a call and a loop may cost per iteration beside the inference itself.
_LOOP_NS = 20_000
_LOOP_SHARE = 0.2
# What a busy machine's scheduler may take from any window, however short: nobody is accused of that.
_PREEMPTED_NS = 20_000_000


def _runs(launches: Launches) -> Iterator[Evidence]:
    launches.finished("run")
    for name in RUNS:
        evidence = launches.take(name)
        if evidence.finished:
            yield evidence


def expected_marks(evidence: Evidence) -> list[tuple[str, str]]:
    """The edges that a finished launch must send, in order."""
    asked = evidence.asked
    if evidence.command == "inspect":
        names = ["import", "load"]
    elif evidence.command == "compile":
        loads = evidence.mark("load", "start") is not None  # what it needs for it is its own matter
        names = ["import", "load", "compile"] if loads else ["import", "compile"]
    else:
        names = [*_ALWAYS]
        names += ["idle"] if asked.get("idle_ns") else []
        names += ["settle"] if asked["warmup"]["settle"] else []
        names += ["measure"]
        # Who speaks an older version than 1.2.0 does not know the field and ignores it.
        names += ["idle_after"] if asked.get("idle_after_ns") and evidence.minor >= 2 else []
        names += ["outputs"] if asked.get("outputs") else []
    return [(name, edge) for name in names for edge in ("start", "end")]


def ordered(launches: Launches) -> Iterator[str]:
    """C10: the phases in their order, each with both edges, none overlapping, time never going back."""
    made = [*_runs(launches), launches.take("inspect"), launches.take("compile")]
    for evidence in made:
        if not evidence.finished:
            continue
        marks = evidence.marks
        sent = [(mark.name, mark.edge) for mark in marks]
        expected = expected_marks(evidence)
        if sent != expected:
            yield f"{evidence.scenario}: {_deviation(sent, expected)}"
        for before, after in zip(marks, marks[1:], strict=False):
            if after.t_ns < before.t_ns:
                yield (
                    f"{evidence.scenario}: line {after.line}: {after.name} {after.edge} lies "
                    f"{before.t_ns - after.t_ns} ns before {before.name} {before.edge}"
                )
                break


def _deviation(sent: list[tuple[str, str]], expected: list[tuple[str, str]]) -> str:
    for number, want in enumerate(expected):
        have = sent[number] if number < len(sent) else ("nothing", "")
        if have != want:
            return f"mark {number + 1} must be {' '.join(want)}, but is {' '.join(have).strip()}"
    return f"after the last mark follows {' '.join(sent[len(expected)])}"


def host_clock() -> dict[str, str | None]:
    """The identity of this process's CLOCK_MONOTONIC, as ``hello.clock`` gives the runner's."""
    try:
        namespace = os.readlink("/proc/self/ns/time")
    except OSError:  # the kernel has none
        namespace = None
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"boot_id": boot_id, "time_namespace": namespace}


def _foreign_clock(evidence: Evidence) -> str | None:
    clock = evidence.hello.get("clock")
    return align(clock if isinstance(clock, dict) else {}, host_clock())


def in_interval(launches: Launches) -> Iterator[str]:
    """C11: every mark, and hello's own clock, inside the time the host saw the process alive."""
    describe = launches.finished("describe")
    foreign = _foreign_clock(describe)
    if foreign and launches.subject.engine.name == "process":
        yield f"describe: a process on this machine has this machine's clock, but {foreign}"
        return
    if foreign:
        raise NotProvoked(f"the runner's clock is not this machine's: {foreign}")
    for evidence in (describe, launches.take("inspect"), *_runs(launches)):
        start_ns, end_ns = evidence.outcome.started_ns, evidence.outcome.ended_ns
        times = [(f"{mark.name} {mark.edge}", mark.t_ns) for mark in evidence.marks]
        clock = evidence.hello.get("clock")
        if isinstance(clock, dict) and isinstance(clock.get("t_ns"), int):
            times.append(("hello.clock", clock["t_ns"]))
        for name, t_ns in times:
            if not start_ns <= t_ns <= end_ns:
                yield f"{evidence.scenario}: {name} is {t_ns}, outside {start_ns}..{end_ns}"
                break


def window_kept(launches: Launches) -> Iterator[str]:
    """C12: latencies after the window and the idle behind it, and nothing but inferences inside."""
    for evidence in _runs(launches):
        for phase in ("first", "warmup", "measure"):
            last = "idle_after" if phase == "measure" and evidence.mark("idle_after", "end") else phase
            end = evidence.mark(last, "end")
            early = [line for line, _, _ in evidence.chunks(phase) if end and line < end.line]
            if early:
                yield f"{evidence.scenario}: line {early[0]}: latencies of {phase} before {last}'s end mark"
        window, values = evidence.window("measure"), evidence.values_ns("measure")
        if window and values:
            yield from _inside(evidence, window[1] - window[0], sum(values), len(values))
    yield from _silence(launches.finished("run"), launches.subject.window_ns)


def _inside(evidence: Evidence, window_ns: int, sum_ns: int, count: int) -> Iterator[str]:
    rest_ns = window_ns - sum_ns
    if rest_ns < 0:
        yield f"{evidence.scenario}: {count} latencies sum to {sum_ns} ns, the window is {window_ns} ns long"
    elif rest_ns > max(_LOOP_NS * count, _LOOP_SHARE * window_ns, _PREEMPTED_NS):
        yield (
            f"{evidence.scenario}: {rest_ns / window_ns:.0%} of the window is no inference "
            f"({rest_ns // count} ns per iteration)"
        )


def _silence(evidence: Evidence, window_ns: int) -> Iterator[str]:
    window = evidence.window("measure")
    if window is None or _foreign_clock(evidence):
        return
    # What was written just before the window may arrive within it; what arrives later was written inside.
    begin = window[0] + window_ns // 4
    idle = evidence.window("idle_after") or (window[1], window[1])
    written = [t_ns for t_ns in evidence.grown_ns if begin < t_ns < idle[1]]
    if written:
        where, start_ns = ("the window", window[0]) if written[0] < window[1] else ("idle_after", idle[0])
        after_s = (written[0] - start_ns) / 1e9
        yield f"{evidence.scenario}: it wrote inside {where}, {after_s:.2f} s after its start mark"


def contiguous(launches: Launches) -> Iterator[str]:
    """C13: chunks join without gap or overlap, and ``done.iterations`` counts the window's values."""
    for evidence in _runs(launches):
        for phase in ("first", "warmup", "measure"):
            position = 0
            for line, start, values in evidence.chunks(phase):
                if start != position:
                    yield f"{evidence.scenario}: line {line}: {phase} goes on at {start}, expected {position}"
                    break
                position += len(values)
        count, told = len(evidence.values_ns("measure")), evidence.of("done")[0].get("iterations")
        if told != count:
            yield f"{evidence.scenario}: done.iterations is {told}, but {count} latencies of measure came"


def floors(launches: Launches) -> Iterator[str]:
    """C14: at least the duration and the count asked for, unless the maximum was reached."""
    for evidence in _runs(launches):
        asked, window = evidence.asked["measure"], evidence.window("measure")
        count = len(evidence.values_ns("measure"))
        if window is None or count == asked["max_iterations"]:
            continue
        where = f"{evidence.scenario}: "
        if count > asked["max_iterations"]:
            yield f"{where}{count} iterations, the request's maximum is {asked['max_iterations']}"
        elif evidence.scenario == "run to a maximum":
            yield f"{where}{count} iterations; the floors were not met and the maximum is {MAXIMUM}"
        elif count < asked["min_iterations"]:
            yield f"{where}{count} iterations, asked for at least {asked['min_iterations']}"
        elif window[1] - window[0] < asked["min_duration_ns"]:
            yield f"{where}a window of {window[1] - window[0]} ns, asked for {asked['min_duration_ns']}"


def walked(launches: Launches) -> Iterator[str]:
    """Section 4: what single phases do: one first inference, a capped warm-up that tells, a true idle."""
    for evidence in _runs(launches):
        asked, where = evidence.asked, f"{evidence.scenario}: "
        first, warmup = len(evidence.values_ns("first")), len(evidence.values_ns("warmup"))
        if first != 1:
            yield f"{where}{first} latencies of first, expected 1"
        if warmup > asked["warmup"]["cap"]:
            yield f"{where}{warmup} latencies of warmup, the cap is {asked['warmup']['cap']}"
        ends = [m for m in evidence.of("phase") if (m.get("name"), m.get("edge")) == ("warmup", "end")]
        if ends and not isinstance(ends[0].get("steady"), bool):
            yield f"{where}the end mark of warmup does not say whether it was steady"
        for phase in ("idle", "idle_after"):
            idle, least_ns = evidence.window(phase), asked.get(f"{phase}_ns", 0)
            if idle and idle[1] - idle[0] < least_ns:
                yield f"{where}{phase} of {idle[1] - idle[0]} ns, asked for {least_ns}"

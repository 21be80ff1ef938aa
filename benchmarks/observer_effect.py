"""How far the median latency shifts when telemetry is on, against off.

One launch, one long measure window, and telemetry beside it as in every trial, which is stopped (SIGSTOP)
and continued in blocks of a second: on, off, off, on. Not launches with and without it: their medians
differ by more than is looked for. Each latency belongs to the block in which it was measured, by the time
that has passed in the window; those next to an edge belong to none. Telemetry ticks as soon as it is
continued, so a block that is on has no fewer ticks than a second of a trial. Its start is outside the
window in a trial as it is here.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import abba
from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from benchmarks.wrapped import Wrapped
from orchestrator import wire
from orchestrator.domain import InferometerError, Status
from orchestrator.engines import observer
from orchestrator.engines.launch import Handle, Launch, Outcome
from orchestrator.execute import execute
from orchestrator.plan import FULL

FIGURES = ("observer_effect",)
RUNTIME, MODEL, FORMAT = "onnxruntime", "digits-cnn", "onnx"
LIMIT, LIMIT_TEXT = 0.01, "ratio within 1 %"
ROUNDS, BLOCK_NS, EDGE_NS = 12, 10**9, 5 * 10**7
INTERVAL_S = 1.0  # of telemetry, as in a bench

Edge = tuple[int, bool]  # CLOCK_MONOTONIC in ns, telemetry is on from then on


@dataclass
class Toggling(Wrapped):
    """An engine that runs telemetry beside each launch and halts it in every second pair of blocks."""

    telemetry: Path
    edges: list[Edge] = field(default_factory=list)

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """To the end, telemetry with it."""
        ended = threading.Event()

        def watch(pid: int) -> None:
            child = observer.start(pid, INTERVAL_S, (), self.telemetry)
            for number in range(10**9):
                on = abba.ORDER[number % len(abba.ORDER)] == "a"
                os.kill(child.pid, signal.SIGCONT if on else signal.SIGSTOP)
                self.edges.append((time.monotonic_ns(), on))
                if ended.wait(BLOCK_NS / 1e9):
                    break
            os.kill(child.pid, signal.SIGCONT)
            observer.stop(child)

        watchers: list[threading.Thread] = []

        def start(handle: Handle) -> None:
            on_started(handle)
            watchers.append(threading.Thread(target=watch, args=(handle.pid,)))
            watchers[0].start()

        try:
            return self.engine.launch(launch, start)
        finally:
            ended.set()
            for watcher in watchers:
                watcher.join()


def measure(place: Place) -> Iterator[Figure]:
    """The one figure."""
    load = place.load(MODEL, FORMAT)
    if load is None:
        yield absent(FIGURES[0], LIMIT_TEXT, f"{MODEL} is not there")
        return
    target = place.target(RUNTIME)
    # One round more: the window does not begin with a round.
    settings = replace(FULL, min_duration_ns=(ROUNDS + 1) * len(abba.ORDER) * BLOCK_NS, max_iterations=10**7)
    with place.alone(), scratch() as raw:
        engine = Toggling(place.engine, raw / "halting.jsonl")
        conditions = place.conditions(settings, engine, telemetry_interval_s=None)
        record = execute(place.trial(RUNTIME, load), load, target, conditions, raw)
        if record.status is not Status.OK:
            raise InferometerError(f"the trial: {record.reason}")
        with (raw / "transcript.jsonl").open("rb") as stream:
            transcript = wire.read(stream)
    window = transcript.window("measure")
    assert window
    found = abba.pairs(cut(transcript.latencies_ns["measure"], window, engine.edges))
    on, off = abba.middle(found)
    ratios = sorted(one / other for one, other in found)
    note = (
        f"peer: telemetry halted; {RUNTIME}, {MODEL}, one launch, {len(found)} rounds of on off off on: "
        f"{ratios[0]:.3f} to {ratios[-1]:.3f}"
    )
    yield Figure(FIGURES[0], "us", on / 1e3, off / 1e3, LIMIT_TEXT, abs(on / off - 1) <= LIMIT, note)


def cut(values: Sequence[int], window: tuple[int, int], edges: Sequence[Edge]) -> list[list[int]]:
    """The latencies of each whole block inside the window, from the first that begins a round.

    What passes between two inferences is taken to be the same for all.
    """
    start_ns, end_ns = window
    between_ns = (end_ns - start_ns - sum(values)) / len(values)
    inside = [number for number, (at_ns, _) in enumerate(edges) if at_ns >= start_ns]
    first = next(number for number in inside if number % len(abba.ORDER) == 0)
    found: list[list[int]] = [[] for _ in edges[first:-1]]
    at_ns: float = start_ns
    block = 0
    for value in values:
        while block < len(found) and at_ns >= edges[first + block + 1][0] - EDGE_NS:
            block += 1
        if block == len(found):
            break
        if at_ns >= edges[first + block][0] + EDGE_NS:
            found[block].append(value)
        at_ns += value + between_ns
    whole = [block for block in range(len(found)) if edges[first + block + 1][0] <= end_ns]
    return found[: len(whole)]

"""The latency a runner reports, beside a bare ``perf_counter_ns`` loop over the same artifact.

``a`` is the runner itself, launched like a trial: the SDK's phases and its timed loop, which is cut into
blocks. ``b`` is a script of some forty lines that knows nothing of the SDK, launched in the same image
with the same options. Both make the same call of the runtime with tensors bound once, so what they can
differ by is what the SDK adds. Both live at once, on one core, and take turns in blocks, a b b a: medians
of two launches one after the other differ more than what is looked for. A launch still keeps the luck of
its memory layout, hence several pairs of processes, of which the one with the median ratio is shown.
Compared is the median; what the SDK costs between two inferences is ``null_iteration``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import abba
from benchmarks.entry import Entry, program
from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from benchmarks.wrapped import Wrapped
from orchestrator import wire
from orchestrator.domain import InferometerError, Status
from orchestrator.engines.launch import Handle, Launch, Mount, Outcome
from orchestrator.execute import Load, execute
from orchestrator.plan import FULL

# name -> (model, rounds of a b b a)
CASES = {"lockstep": ("digits-cnn", 500), "lockstep_mobilenet": ("mobilenet-v2", 6)}
FIGURES = tuple(CASES)
RUNTIME, FORMAT = "onnxruntime", "onnx"
LIMIT, LIMIT_TEXT = 0.02, "ratio within 2 %"
BLOCK, PAIRS = 8, 9


@dataclass
class Beside(Wrapped):
    """An engine that launches a second program with each: same core, same options.

    ``request`` makes the second one's request line of the first one's.
    """

    entries: tuple[Entry, Entry]  # a, b
    order: str
    turns: Path
    request: Callable[[bytes], bytes] = bytes

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """Both to their ends; the outcome is the first one's. Raises InferometerError for the second."""
        turns = Mount(self.turns, "turns", writable=True)
        given = {"TURNS": self.engine.see(turns), "ORDER": self.order, "BLOCK": str(BLOCK)}
        first, second = (
            replace(
                launch,
                target=entry.target.target,
                mounts=(*launch.mounts, turns),
                environment={**entry.environment, **given},
            )
            for entry in self.entries
        )
        log, out = launch.stderr.with_name("beside.log"), launch.stdout.with_name("beside.out")
        second = replace(second, name=f"{launch.name}-beside", stdout=out, stderr=log)
        second = replace(second, request=self.request(launch.request))
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(self.engine.launch, second, lambda _: None)
            outcome = self.engine.launch(first, on_started)
            beside = other.result()
            if beside.exit_code != 0:
                status = f"signal {beside.signal}" if beside.signal else f"status {beside.exit_code}"
                how = beside.problem or ("out of time" if beside.timed_out else status)
                raise InferometerError(f"what runs beside failed ({how}): {log.read_text()[-300:]}")
        return outcome


def measure(place: Place) -> Iterator[Figure]:
    """A figure for each model that is there."""
    with (
        place.alone(),
        program(place, RUNTIME, "lockstep_runner") as runner,
        program(place, RUNTIME, "bare_onnxruntime") as bare,
    ):
        for name, (model, rounds) in CASES.items():
            load = place.load(model, FORMAT)
            if load is None:
                yield absent(name, LIMIT_TEXT, f"{model} is not exported; make models MODELS={model}")
                continue
            found = [_pair(place, load, (runner, bare), abba.ORDER * rounds) for _ in range(PAIRS)]
            ours, peer = abba.middle(found)
            ok = abs(ours / peer - 1) <= LIMIT
            ratios = " ".join(f"{one / other:.3f}" for one, other in sorted(found, key=_ratio))
            note = f"peer: bare loop, {RUNTIME}, {model}, engine {place.engine.name}; pairs: {ratios}"
            yield Figure(name, "us", ours / 1e3, peer / 1e3, LIMIT_TEXT, ok, note)


def _ratio(pair: abba.Pair) -> float:
    return pair[0] / pair[1]


def _pair(place: Place, load: Load, entries: tuple[Entry, Entry], order: str) -> abba.Pair:
    count = BLOCK * order.count("a")
    settings = replace(
        FULL, min_duration_ns=0, min_iterations=count, max_iterations=count, idle_ns=0, timeout_s=120.0
    )
    with scratch() as raw, scratch() as turns:
        turns.chmod(0o777)  # the runner's user is another one
        for side in "ab":
            os.mkfifo(turns / side)
            (turns / side).chmod(0o666)
        engine = Beside(place.engine, entries, order, turns)
        conditions = place.conditions(settings, engine, watched=False)
        record = execute(place.trial(RUNTIME, load), load, entries[0].target, conditions, raw)
        if record.status is not Status.OK:
            raise InferometerError(f"the runner in lockstep: {record.reason}")
        with (raw / "transcript.jsonl").open("rb") as stream:
            ours = wire.read(stream).latencies_ns["measure"]
        bare = json.loads((raw / "beside.out").read_bytes())
    return abba.middle(abba.pairs(blocks(order, ours, bare)))


def blocks(order: str, ours: Sequence[float], bare: Sequence[float]) -> list[Sequence[float]]:
    """The latencies of both, in the order in which their blocks ran."""
    found: list[Sequence[float]] = []
    for place, side in enumerate(order):
        start = BLOCK * order[:place].count(side)
        found.append((ours if side == "a" else bare)[start : start + BLOCK])
    return found

"""What a warm trial takes beyond its phases, beside ``docker run --rm IMAGE true``.

Ours is the wall time of a whole trial as a session runs it (container, telemetry, transcript, record)
less the phases that the runner marks: what is not the framework's work or the measurement itself. Warm:
one trial and one peer came before, so that files are cached. The two take turns; medians. The peer is the
floor under any program that starts a container; under the process engine it is ``python -c pass``.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from orchestrator.domain import InferometerError, Status
from orchestrator.engines.buildx import find_buildx
from orchestrator.execute import Load, execute
from orchestrator.plan import QUICK

FIGURES = ("launch_overhead",)
RUNTIME, MODEL, FORMAT = "onnxruntime", "digits-cnn", "onnx"
LIMIT_S = 1.5
LIMIT_TEXT = f"<= {LIMIT_S} s"
REPEATS = 7


def measure(place: Place) -> Iterator[Figure]:
    """The one figure."""
    load = place.load(MODEL, FORMAT)
    if load is None:
        yield absent(FIGURES[0], LIMIT_TEXT, f"{MODEL} is not there")
        return
    words = _peer_words(place)
    ours, peers = [], []
    with place.alone():
        for _ in range(1 + REPEATS):
            ours.append(_overhead_s(place, load))
            peers += [_seconds(words)] if words else []
    mine = median(ours[1:])
    theirs = median(peers[1:]) if peers else None
    contained = place.engine.name == "docker"
    peer = "docker run --rm IMAGE true" if contained else "python -c pass"
    note = f"peer: {peer}; {RUNTIME}, {MODEL}, engine {place.engine.name}"
    yield Figure(FIGURES[0], "s", mine, theirs, LIMIT_TEXT, mine <= LIMIT_S, note)


def _peer_words(place: Place) -> list[str] | None:
    target = place.target(RUNTIME).target
    if place.engine.name != "docker":
        return [target.split("\0")[0], "-c", "pass"]
    docker = find_buildx()
    return [docker, "run", "--rm", "--network", "none", "--entrypoint", "true", target] if docker else None


def _overhead_s(place: Place, load: Load) -> float:
    settings = replace(QUICK, launches=1)
    with scratch() as raw:
        target, conditions = place.target(RUNTIME), place.conditions(settings)
        start = time.perf_counter()
        record = execute(place.trial(RUNTIME, load), load, target, conditions, raw)
        seconds = time.perf_counter() - start
    if record.status is not Status.OK:
        raise InferometerError(f"the trial: {record.reason}")
    return seconds - sum(record.phases_ns.values()) / 1e9


def _seconds(words: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return time.perf_counter() - start

"""How far the median latency shifts when telemetry reads, against when it rests: as every run measures it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from orchestrator import observation
from orchestrator.domain import InferometerError
from orchestrator.plan import FULL

FIGURES = ("observer_effect",)
RUNTIME, MODEL, FORMAT = "onnxruntime", "digits-cnn", "onnx"
LIMIT_TEXT = "ratio within 1 %"
ROUNDS = 12


def measure(place: Place) -> Iterator[Figure]:
    """The one figure."""
    load = place.load(MODEL, FORMAT)
    if load is None:
        yield absent(FIGURES[0], LIMIT_TEXT, f"{MODEL} is not there")
        return
    target, conditions = (
        place.target(RUNTIME),
        place.conditions(replace(FULL, observer_rounds=ROUNDS, max_iterations=10**7)),
    )
    with place.alone(), scratch() as folder:
        raw = folder / observation.FOLDER
        observation.observe(place.trial(RUNTIME, load), load, target, conditions, raw)
        found = observation.effect(raw)
    if found is None or found["shift"] is None:
        raise InferometerError(f"the trial: {found and found['reason']}")
    note = (
        f"peer: telemetry at rest; {RUNTIME}, {MODEL}, {found['rounds']} rounds of on off off on; "
        f"95 % interval {found['low']:+.2%} to {found['high']:+.2%}"
    )
    held = abs(found["shift"]) <= observation.LIMIT
    yield Figure(FIGURES[0], "us", found["on_ns"] / 1e3, found["off_ns"] / 1e3, LIMIT_TEXT, held, note)

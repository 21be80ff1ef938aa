"""Valid transcripts to start from, and strategies that draw them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

PHASES = ("import", "load", "first", "warmup", "idle", "settle", "measure", "idle_after", "outputs")

Message = dict[str, Any]


def hello() -> Message:
    clock = {"boot_id": "00000000-0000-4000-8000-000000000000", "time_namespace": "time:[1]", "t_ns": 1}
    return {
        "type": "hello",
        "protocols": ["1.0.0"],
        "sdk": "1.0.0",
        "runtime": "fake",
        "version": "1.2.3",
        "accelerators": ["cpu"],
        "clock": clock,
    }


def tensor(name: str, shape: list[int]) -> Message:
    return {"name": name, "shape": shape, "dtype": "float32", "quantization": None}


def footprint() -> Message:
    return {
        "type": "footprint",
        "vm_hwm_bytes": 4096,
        "load_vm_hwm_bytes": 2048,
        "inference_vm_hwm_bytes": 4096,
        "cgroup_peak_bytes": None,
        "cgroup_version": None,
        "reasons": {"cgroup_peak_bytes": "no memory cgroup"},
    }


def latencies(phase: str, values: list[int], chunk: int = 4096) -> list[Message]:
    return [
        {"type": "latencies", "phase": phase, "start": start, "values_ns": values[start : start + chunk]}
        for start in range(0, len(values), chunk)
    ]


def run(
    measure: list[int],
    warmup: list[int] | None = None,
    steps: list[int] | None = None,
    outputs: list[list[float | None]] | None = None,
    chunk: int = 4096,
    began_ns: int = 1000,
) -> list[Message]:
    """The messages of a whole run; ``steps`` are the times between successive marks."""
    warmup = [900, 900] if warmup is None else warmup
    outputs = [[0.1, 0.9]] if outputs is None else outputs
    steps = steps or [10_000] * 2 * len(PHASES)
    messages, now = [hello()], began_ns
    for number, phase in enumerate(PHASES):
        for edge, step in zip(("start", "end"), steps[2 * number :], strict=False):
            now += step
            mark: Message = {"type": "phase", "name": phase, "edge": edge, "t_ns": now}
            messages.append(mark | {"steady": True} if (phase, edge) == ("warmup", "end") else mark)
        if phase == "load":
            signature = {"inputs": [tensor("input", [1, 3])], "outputs": [tensor("output", [1, 2])]}
            messages += [{"type": "model", **signature}, {"type": "harness", "values_ns": [40] * 200}]
        if phase == "idle_after":
            messages += latencies("first", [5000]) + latencies("warmup", warmup, chunk)
            messages += [*latencies("measure", measure, chunk), footprint()]
    for index, values in enumerate(outputs):
        # The outputs belong before the phase's end mark.
        messages.insert(-1, {"type": "outputs", "index": index, "shape": [1, len(values)], "values": values})
    placement = {"type": "placement", "requested": "cpu", "executed": {"cpu": 1}, "nodes": [], "notes": []}
    return [*messages, placement, {"type": "done", "iterations": len(measure)}]


def lines(messages: list[Message]) -> list[bytes]:
    """Messages as a runner writes them."""
    return [json.dumps(message).encode() + b"\n" for message in messages]


durations = st.integers(0, 2**53)
numbers = st.one_of(st.none(), st.integers(-128, 255), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def runs(draw: st.DrawFn) -> list[Message]:
    """Messages of any valid run."""
    return run(
        draw(st.lists(durations, min_size=1, max_size=30)),
        draw(st.lists(durations, max_size=9)),
        draw(st.lists(st.integers(0, 10**12), min_size=18, max_size=18)),
        draw(st.lists(st.lists(numbers, min_size=1, max_size=4), max_size=3)),
        draw(st.integers(1, 8)),
    )


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.integers(2**63, 2**80)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["scale", "cpu", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn) -> list[Message]:
    """A valid run with one field, at any depth, replaced by anything or left out."""
    messages: list[Message] = json.loads(json.dumps(draw(runs())))
    holder: Any = messages[draw(st.integers(0, len(messages) - 1))]
    while True:
        key = draw(st.sampled_from(sorted(holder))) if isinstance(holder, dict) else draw(_index(holder))
        if isinstance(holder[key], (dict, list)) and holder[key] and draw(st.booleans()):
            holder = holder[key]
            continue
        if draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = draw(anything)
        return messages


def _index(holder: list[Any]) -> st.SearchStrategy[int]:
    return st.integers(0, len(holder) - 1)

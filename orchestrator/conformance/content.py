"""Clauses about what the messages of a run say: signature, outputs, placement, footprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod

from orchestrator import wire
from orchestrator.conformance.answers import unknown_accelerator
from orchestrator.conformance.evidence import Evidence
from orchestrator.conformance.launches import Launches, NotProvoked


def complete(launches: Launches) -> Iterator[str]:
    """Section 3: each message as often as it must come, where it must come, with its reasons."""
    run = launches.finished("run")
    for kind in ("model", "harness", "footprint", "placement"):
        if len(run.of(kind)) != 1:
            yield f"run: {len(run.of(kind))} {kind} messages, expected 1"
    yield from _in_place(run, "model", "load")
    yield from _in_place(run, "footprint", "measure")
    for footprint in run.of("footprint"):
        reasons = footprint.get("reasons")
        for name in wire.FOOTPRINT:
            if (
                name in footprint
                and footprint[name] is None
                and not (isinstance(reasons, dict) and reasons.get(name))
            ):
                yield f"run: footprint.{name} is null and reasons does not say why"
    yield from _signature(run, launches.subject.material.shape)
    yield from _outputs(run, launches.subject.material.count)
    unasked = launches.take("run by count")
    if unasked.of("outputs"):
        yield "run by count: outputs were sent, though none were asked for"


def _in_place(run: Evidence, kind: str, phase: str) -> Iterator[str]:
    end = run.mark(phase, "end")
    early = [line for line, _ in run.numbered(kind) if end and line < end.line]
    if early:
        yield f"run: line {early[0]}: {kind} before the end of {phase}"


def _signature(run: Evidence, shape: tuple[int, ...]) -> Iterator[str]:
    for model in run.of("model"):
        inputs = model.get("inputs")
        told = inputs[0].get("shape") if isinstance(inputs, list) and inputs else None
        if not isinstance(told, list):
            continue  # the schema's matter
        fits = len(told) == len(shape) and all(
            one == size or not isinstance(one, int) for one, size in zip(told, shape, strict=False)
        )
        if not fits:
            yield f"run: model.inputs[0].shape is {told}, but tensors of {list(shape)} were accepted"


def _outputs(run: Evidence, count: int) -> Iterator[str]:
    sent = run.of("outputs")
    indices = [message.get("index") for message in sent]
    if indices != list(range(count)):
        yield f"run: outputs have the indices {_brief(indices)}, expected 0 to {count - 1} in order"
    for message in sent:
        shape, values = message.get("shape"), message.get("values")
        if isinstance(shape, list) and isinstance(values, list) and prod(shape) != len(values):
            yield f"run: outputs {message.get('index')}: {len(values)} values for shape {shape}"
            return


def _brief(values: list[object]) -> str:
    return str(values) if len(values) <= 12 else f"{values[:6]}... ({len(values)})"


def repeatable(launches: Launches) -> Iterator[str]:
    """C16: the same request gives the same outputs twice."""
    one, two = launches.finished("run"), launches.finished("run again")
    first, second = (
        {message.get("index"): message.get("values") for message in run.of("outputs")} for run in (one, two)
    )
    if not first:
        raise NotProvoked("`run` sent no outputs")
    different = [index for index in first if first[index] != second.get(index)]
    if different or len(first) != len(second):
        yield f"run, run again: outputs {_brief(different)} of {len(first)} differ"


def placed(launches: Launches) -> Iterator[str]:
    """C18: ``placement`` is of this request, agrees with itself, and owns up to a fallback."""
    run = launches.finished("run")
    for placement in run.of("placement"):
        asked, told = run.asked["accelerator"], placement.get("requested")
        executed, nodes = placement.get("executed"), placement.get("nodes", [])
        if told != asked:
            yield f"run: placement.requested is {told!r}, the request said {asked!r}"
        if isinstance(executed, dict) and isinstance(nodes, list):
            counted = Counter(node.get("on") for node in nodes if isinstance(node, dict))
            for where, count in counted.items():
                total = executed.get(where, 0)
                if total is not None and total < count:
                    yield f"run: placement.nodes has {count} on {where!r}, executed says {total}"
    yield from unknown_accelerator(launches)


def synchronised(launches: Launches) -> Iterator[str]:
    """C15: cannot be seen from outside."""
    raise NotProvoked(
        "from outside nobody sees whether the timed call waits for its outputs; read the runner"
    )

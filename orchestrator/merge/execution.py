"""What runners and files say of a case's computation, as one row keeps it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.domain import Execution, Status, TrialRecord

_BITS = {"bool": 8, "complex64": 64, "complex128": 128}


def execution(
    records: Sequence[TrialRecord], placement: Mapping[str, Any] | None, model: Mapping[str, Any] | None
) -> Execution | None:
    """Of a case's records; ``placement`` and ``model`` are those messages of one good launch, where sent.

    None where no launch was good.
    """
    ok = [record for record in records if record.status is Status.OK]
    if not ok:
        return None
    facts = next((record.artifact.get("facts") for record in ok if record.artifact), None) or {}
    harness = [record.harness_p50_ns for record in ok if record.harness_p50_ns is not None]
    tensors = model or {}
    return Execution(
        nodes=dict((placement or {}).get("executed") or {}),
        operators=_operators(placement or {}),
        compute=_counts(facts.get("compute")),
        float_fallback=_counts(facts.get("float_fallback")),
        input_bytes=_bytes(tensors.get("inputs")),
        output_bytes=_bytes(tensors.get("outputs")),
        cores=min((len(record.cores) for record in ok if record.cores), default=None),
        harness_p50_ns=max(harness, default=None),
    )


def _operators(placement: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    nodes = placement.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():  # readers check none of it
        if isinstance(node, Mapping) and {"on", "op"} <= set(node):
            found.setdefault(str(node["on"]), Counter())[str(node["op"])] += 1
    return {place: dict(sorted(kinds.items())) for place, kinds in sorted(found.items())}


def _counts(told: object) -> dict[str, int]:
    """A file's own facts, of which own models and older exports have none."""
    return {str(name): count for name, count in told.items()} if isinstance(told, Mapping) else {}


def _bytes(tensors: Sequence[Mapping[str, Any]] | None) -> int | None:
    """Of all tensors together; None where a size is open."""
    if not tensors:
        return None
    total = 0
    for tensor in tensors:
        bits, shape = _bits(str(tensor["dtype"])), tensor["shape"]
        if bits is None or not all(isinstance(size, int) for size in shape):
            return None
        total += math.prod(map(int, shape)) * bits // 8
    return total


def _bits(dtype: str) -> int | None:
    """``float32``: 32; None for what has no fixed size."""
    digits = dtype.lstrip("abcdefghijklmnopqrstuvwxyz")
    return _BITS.get(dtype) or (int(digits) if digits.isdecimal() else None)

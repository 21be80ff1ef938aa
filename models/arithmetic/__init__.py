"""Which numbers a written file's operators compute with, read from the file itself.

One module a format, each with ``facts(path)``. A runtime may still do otherwise: what it executed is told by
its runner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

FEW = 256  # as many values as int8 has
GLANCE = 4096  # elements of a tensor that are looked at


def summary(operators: Iterable[tuple[str, str]], weights: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """Facts from ``(kind, type)`` of every operator and ``(type, elements)`` of every weight tensor.

    ``float_fallback`` counts, by kind, the operators that stay in float32 where others do not. A hybrid
    operator has integer weights and float activations. Conversions between types are no operators here.
    """
    listed, tensors = list(operators), list(weights)
    types = Counter(type_ for _, type_ in listed)
    floats = Counter(kind for kind, type_ in listed if type_ == "float32")
    elements: Counter[str] = Counter()
    for type_, count in tensors:
        elements[type_] += count
    return {
        "operators": len(listed),
        "compute": dict(sorted(types.items())),
        "float_operators": types["float32"],
        "float_fallback": dict(sorted(floats.items())) if len(types) > 1 else {},
        "weight_tensors": dict(sorted(Counter(type_ for type_, _ in tensors).items())),
        "weight_elements": dict(sorted(elements.items())),
    }


def integers(weights: list[np.ndarray]) -> dict[str, Any]:
    """Of int8 weight tensors: how many different values each has, and how many zeros all have together."""
    return {
        "int8_values": [len(np.unique(weight)) for weight in weights],
        "int8_zeros": sum(int(np.count_nonzero(weight == 0)) for weight in weights),
    }


def clustered(weights: Iterable[np.ndarray]) -> bool:
    """Whether every larger float weight tensor takes a few values only, as weight clustering leaves it.

    One scale a tensor then loses nothing beside the clusters, and keeps their number: one a channel would
    make as many integers of a value as there are channels.
    """
    larger = [weight for weight in weights if weight.size > FEW]
    return bool(larger) and all(len(np.unique(weight.ravel()[:GLANCE])) <= FEW for weight in larger)

"""The Pareto set: what no other candidate beats in every respect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether ``one`` is nowhere higher than ``other`` and somewhere lower; lower is better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def pareto(items: Sequence[tuple[T, Sequence[float]]]) -> list[T]:
    """The items whose costs no other item dominates, in the order given; equals stay together."""
    return [item for item, costs in items if not any(dominates(other, costs) for _, other in items)]

"""What two cases are compared by: each metric's name, unit, and how its difference is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TIME, BYTES, JOULES, POINTS = "ns", "bytes", "J", "points"


@dataclass(frozen=True)
class Metric:
    """``exact``: a property of files, the same in every launch, whatever machine it is measured on."""

    name: str
    title: str
    unit: str
    less: str = "less"  # what a smaller figure of B is called
    more: str = "more"
    exact: bool = False


P50 = "p50"
ENERGY = "energy"
METRICS: Sequence[Metric] = (
    Metric(P50, "p50", TIME, "faster", "slower"),
    Metric("p90", "p90", TIME, "faster", "slower"),
    Metric("p99", "p99", TIME, "faster", "slower"),
    Metric("mean", "mean", TIME, "faster", "slower"),
    Metric("first", "first inference", TIME, "faster", "slower"),
    Metric("load", "load", TIME, "faster", "slower"),
    Metric("peak_memory", "container peak", BYTES),
    Metric("process_memory", "process peak", BYTES),
    Metric("bytes", "artifact", BYTES, exact=True),
    Metric("accuracy", "accuracy", POINTS, "worse", "better", exact=True),
    Metric(ENERGY, "energy an inference", JOULES),
)
BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class Figure:
    """One metric of one case on one side; unknown is None with the ``reason``.

    ``value`` is the mean over launches. Where single launches are known ``launches`` holds theirs, where only
    their scatter is, ``error`` is the standard error of the mean over ``count`` of them; ``score`` holds
    (correct, total) of an accuracy. ``scope`` says of energy what was measured, where and how.
    """

    value: float | None
    reason: str | None = None
    launches: tuple[float, ...] = ()
    error: float | None = None
    count: int = 0
    score: tuple[int, int] | None = None
    scope: str | None = None


def of_launches(values: Sequence[float | int | None], reason: str) -> Figure:
    """The figure of what the launches gave; launches without a value are left out."""
    known = tuple(float(value) for value in values if value is not None)
    return Figure(sum(known) / len(known), launches=known) if known else Figure(None, reason)

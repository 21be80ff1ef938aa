"""Outputs against labels and against the PyTorch reference. Pure; plain lists, no numpy.

An output is the flattened ``[batch, classes]`` of one input tensor; labels and references come in
the same order. Runners never see labels: what they return is scored here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.domain import Parity, Score

Row = Sequence[float | None]

# Standard deviations that a count of flipped classes may lie above the exporter's own.
DEVIATIONS = 3

# Kernels sum in different orders: on ResNet-50 that costs about 1e-5 of the largest logit. A wrong layout
# or lost weights cost far more, and may yet keep the top-1.
FLOAT_TOLERANCE = 1e-3


def rows(output: Row, batch: int) -> list[Row]:
    """Cut one flattened output into its ``batch`` rows. Raises ValueError if it does not divide."""
    if not output or len(output) % batch:
        raise ValueError(f"{len(output)} values do not divide into a batch of {batch}")
    width = len(output) // batch
    return [output[start : start + width] for start in range(0, len(output), width)]


def top1(row: Row) -> int | None:
    """Index of the largest value, None when any value is missing or not a number."""
    best, index = -math.inf, None
    for position, value in enumerate(row):
        if value is None or math.isnan(value):
            return None
        if value > best:
            best, index = value, position
    return index


def score(outputs: Mapping[int, Row], labels: Sequence[Sequence[int]]) -> Score:
    """Top-1 of every input; an input without output, or with one of another size, counts as wrong."""
    correct = total = 0
    for index, wanted in enumerate(labels):
        total += len(wanted)
        output = outputs.get(index)
        if output and len(output) % len(wanted) == 0:
            found = rows(output, len(wanted))
            correct += sum(top1(row) == label for row, label in zip(found, wanted, strict=True))
    return Score(correct, total)


def compare(
    outputs: Mapping[int, Row],
    reference: Sequence[Row],
    batch: int,
    quantization: Mapping[str, Any] | None = None,
    relative_tolerance: float | None = None,
    least: int | None = None,
) -> Parity:
    """Top-1 agreement and largest absolute difference on the same inputs.

    A missing output or value makes the difference None, which no tolerance accepts; the tolerance is
    relative to the largest value of the reference.
    ``least``: how many equal classes are enough, where not all are.
    ``quantization`` (per-tensor scale and zero point) turns raw integers into real values first.
    """
    equal, total, worst = 0, 0, 0.0
    for index, wanted in enumerate(reference):
        total += batch
        found = _real(outputs.get(index), quantization)
        if found is None or len(found) != len(wanted):
            worst = math.inf
            continue
        pairs = zip(rows(found, batch), rows(wanted, batch), strict=True)
        equal += sum(top1(a) is not None and top1(a) == top1(b) for a, b in pairs)
        for a, b in zip(found, wanted, strict=True):
            difference = math.inf if a is None or b is None else abs(a - b)
            worst = max(worst, math.inf if math.isnan(difference) else difference)
    tolerance = None
    if relative_tolerance is not None:
        values = [abs(value) for wanted in reference for value in wanted if value is not None]
        tolerance = relative_tolerance * max(values)
    return Parity(equal, total, worst if math.isfinite(worst) else None, tolerance, least)


def least_equal(equal: int, total: int) -> int:
    """The least top-1 agreement that a file which is lossy on purpose must reach in a bench.

    The exporter saw ``equal`` of ``total`` itself. Another runtime computes the same integers with other
    rounding (half to even or away from zero, fixed-point or float scales, fused additions), which decides
    anew about inputs whose two best classes lie within such a step. How many those are is a Poisson count,
    in either runtime; ``sqrt(n + 3/8)`` has a standard deviation of a half whatever its mean (Anscombe 1948,
    "The transformation of Poisson, binomial and negative-binomial data"), so the two differ by
    ``sqrt(1/2)``. Beyond three of these the arithmetic itself is another.
    """
    root = math.sqrt(total - equal + 3 / 8) + DEVIATIONS * math.sqrt(1 / 2)
    return max(0, total - math.floor(root**2 - 3 / 8))


def _real(output: Row | None, quantization: Mapping[str, Any] | None) -> Row | None:
    if output is None or not quantization:
        return output
    scale, zero = quantization["scale"][0], quantization["zero_point"][0]
    return [None if value is None else (value - zero) * scale for value in output]

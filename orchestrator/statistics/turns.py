"""Two conditions by turns inside one window: how far the latency of one is from that of the other.

The turns come as a b b a, so that a drift which is steady over a round of four adds as much to a as to b.
Rounds are compared as a whole: launches with and without telemetry would differ by more than is looked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from orchestrator.statistics.quantiles import median
from orchestrator.statistics.student import student_t

ROUND = 4  # a b b a
LEAST_ROUNDS = 3
# Latencies so close to the edge of a block may belong to either side: starting and stopping take a moment.
EDGE_PART = 0.05

Edge = tuple[int, int]  # number of the block that begins, when (ns)
Blocks = list[list[int]]  # latencies (ns) of each block, from the first of a round


@dataclass(frozen=True)
class Shift:
    """Median latency under a over that under b, less 1; a 95 % interval over rounds (Student's t of logs)."""

    rounds: int
    a_ns: float
    b_ns: float
    shift: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def blocks(values_ns: Sequence[int], window: tuple[int, int], edges: Sequence[Edge]) -> Blocks:
    """The latencies of each whole block inside the window, from the first that begins a round.

    What passes between two inferences is taken to be the same for all. A block that was not announced ends
    the list.
    """
    start_ns, end_ns = window
    between_ns = (end_ns - start_ns - sum(values_ns)) / len(values_ns)
    inside = [(number, at_ns) for number, at_ns in edges if start_ns <= at_ns <= end_ns]
    while inside and inside[0][0] % ROUND:
        inside = inside[1:]
    bounds = [at_ns for place, (number, at_ns) in enumerate(inside) if number == inside[0][0] + place]
    found: Blocks = [[] for _ in bounds[1:]]
    at_ns, block = float(start_ns), 0
    for value in values_ns:
        while block < len(found) and at_ns >= bounds[block + 1]:
            block += 1
        if block == len(found):
            break
        margin_ns = EDGE_PART * (bounds[block + 1] - bounds[block])
        if bounds[block] + margin_ns <= at_ns and at_ns + value <= bounds[block + 1] - margin_ns:
            found[block].append(value)
        at_ns += value + between_ns
    return found


def shift(found: Blocks) -> Shift | str:
    """How far a is from b, or the reason why that cannot be said."""
    whole = len(found) // ROUND
    if whole < LEAST_ROUNDS:
        return f"{whole} whole rounds in the window, {LEAST_ROUNDS} are needed"
    if not all(found[: whole * ROUND]):
        return "an inference takes too long for the blocks"
    sides = []
    for start in range(0, whole * ROUND, ROUND):
        first, second, third, last = (median(block) for block in found[start : start + ROUND])
        sides.append((math.sqrt(first * last), math.sqrt(second * third)))
    logs = [math.log(a / b) for a, b in sides]
    mean = fmean(logs)
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in logs) / (whole - 1) / whole)
    reach = student_t(whole - 1) * error
    return Shift(
        whole,
        fmean(a for a, _ in sides),
        fmean(b for _, b in sides),
        math.expm1(mean),
        math.expm1(mean - reach),
        math.expm1(mean + reach),
    )

"""Whether the beginning of a measured window was still warm-up, found on the host from raw latencies.

The runner ends its warm-up by a rule of its own; what it let pass shows here. Each of several heads of the
window is compared with the rest, cut into blocks as long as the head. In a steady window the head is but one
of these blocks. So it must lie twice as far out as any of them, and four standard errors where neighbours
resemble each other (:mod:`orchestrator.statistics.noise`): few steady windows do both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from orchestrator.statistics.noise import MEDIAN_VARIANCE, long_run_deviation
from orchestrator.statistics.quantiles import median

LEAST_VALUES = 50
LEAST_CHANGE = 0.05  # the shift warm-up calls unsteady
# Longer windows are looked at in medians of as many neighbours as leave so many.
_MOST_VALUES = 4096
_LEAST_HEAD = 5
_HEADS = (0.02, 0.05, 0.1, 0.15, 0.2)  # shares of the window
# How many times as far from the rest's median as the farthest of its blocks.
_TIMES = 2.0
_DEVIATIONS = 4.0


@dataclass(frozen=True)
class Head:
    """The beginning of a window that differs from the rest."""

    iterations: int
    change: float  # its median over that of the rest, less 1
    shift: float  # the whole window's median over that of the rest, less 1: what it does to the result


def head(values: Sequence[float]) -> Head | None:
    """The beginning of a window (latencies in time order) that is unlike the rest, or None.

    Of several such beginnings it is the one that explains most of what differs. None below 50 values.
    """
    if len(values) < LEAST_VALUES:
        return None
    step = max(1, len(values) // _MOST_VALUES)
    found = _head(_thinned(values, step) if step > 1 else values)
    return found and replace(found, iterations=found.iterations * step)


def _thinned(values: Sequence[float], step: int) -> list[float]:
    return [median(values[i : i + step]) for i in range(0, len(values), step)]


def _head(values: Sequence[float]) -> Head | None:
    count = len(values)
    noise = long_run_deviation(values)
    best: Head | None = None
    most = 0.0
    for size in sorted({max(_LEAST_HEAD, int(count * share)) for share in _HEADS}):
        rest = median(values[size:])
        change_ns = median(values[:size]) - rest
        error = noise * math.sqrt(MEDIAN_VARIANCE * (1 / size + 1 / (count - size)))
        if not rest or abs(change_ns) < max(LEAST_CHANGE * rest, _DEVIATIONS * error):
            continue
        blocks = (count - size) // size
        edges = [size + (count - size) * i // blocks for i in range(blocks + 1)]
        farthest = max(abs(median(values[a:b]) - rest) for a, b in zip(edges, edges[1:], strict=False))
        if abs(change_ns) < _TIMES * max(farthest, 1.0):  # a clock ticks in whole ns
            continue
        # Of the heads that count, the end is where a step explains most.
        told = abs(fmean(values[:size]) - fmean(values[size:])) * math.sqrt(size * (count - size))
        if told > most:
            best, most = Head(size, change_ns / rest, median(values) / rest - 1), told
    return best

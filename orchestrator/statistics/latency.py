"""The summary of one launch's window."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.domain import Latency
from orchestrator.statistics.quantiles import quantile


def launch_latency(values: Sequence[int]) -> Latency:
    """Summary of raw latencies in ns. Raises ValueError when there are none.

    The standard deviation has the divisor n - 1; a window of one value has no spread, which is 0.
    """
    ordered = sorted(values)
    p50_ns = quantile(ordered, 0.5)
    mean_ns = math.fsum(ordered) / len(ordered)
    squares = math.fsum((value - mean_ns) ** 2 for value in ordered)
    stdev_ns = math.sqrt(squares / (len(ordered) - 1)) if len(ordered) > 1 else 0.0
    return Latency(len(ordered), mean_ns, stdev_ns, p50_ns, ordered[0], ordered[-1])

"""High percentiles of pooled windows, shown only where the count allows.

The floor is LoadGen's early-stopping rule (mlcommons/inference, ``loadgen/early_stopping.cc``): with
one value allowed above the percentile, the count must be so high that a distribution whose true
percentile lies higher would show so few values above it with a chance below 1 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from orchestrator.domain import Quantile

CONFIDENCE = 0.99


@lru_cache
def percentile_floor(q: float) -> int:
    """The least number of iterations for quantile ``q`` in (0, 1): 64 for 0.9, 662 for 0.99."""

    def chance_of_at_most_one_above(count: int) -> float:
        return float(q**count + count * (1 - q) * q ** (count - 1))

    low, high = 1, 2  # the rule fails at low and holds at high
    while chance_of_at_most_one_above(high) >= 1 - CONFIDENCE:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if chance_of_at_most_one_above(middle) >= 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def pooled_quantile(windows: Sequence[Sequence[int]], q: float) -> Quantile:
    """Quantile ``q`` of all windows together (ns), or None with the reason below the floor."""
    count, floor = sum(len(window) for window in windows), percentile_floor(q)
    if count < floor:
        return Quantile(None, f"n too small: {count} of {floor}")
    # Only a summary needs this, and pools can hold millions of values.
    import numpy as np

    pool = np.concatenate([np.asarray(window, dtype=np.int64) for window in windows])
    return Quantile(float(np.quantile(pool, q, method="linear")))

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
    """The least number of iterations for a quantile: 64 for 0.9, 662 for 0.99, 6,636 for 0.999."""

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


def pooled_quantiles(windows: Sequence[Sequence[int]], qs: Sequence[float]) -> tuple[Quantile, ...]:
    """Each quantile of all windows together (ns), or None with the reason below its floor."""
    count = sum(len(window) for window in windows)
    wanted = [q for q in qs if count >= percentile_floor(q)]
    found: dict[float, float] = {}
    if wanted:
        # Only a summary needs this, and pools can hold millions of values.
        import numpy as np

        pool = np.concatenate([np.asarray(window, dtype=np.int64) for window in windows])
        found = dict(zip(wanted, np.quantile(pool, wanted, method="linear").tolist(), strict=True))
    return tuple(
        Quantile(found[q]) if q in found else Quantile(None, f"n too small: {count} of {percentile_floor(q)}")
        for q in qs
    )

"""Quantiles of raw values, by one definition everywhere.

Linear interpolation between order statistics, the type 7 of Hyndman and Fan (1996), "Sample
Quantiles in Statistical Packages", which is the default of R and numpy: position ``(n - 1) q``.
"""

from __future__ import annotations

from collections.abc import Sequence

# Makes the median absolute deviation an estimate of a normal distribution's standard deviation.
MAD_TO_STDEV = 1.4826


def quantile(ordered: Sequence[float], q: float) -> float:
    """Quantile ``q`` in [0, 1] of values in ascending order, in their unit. Raises ValueError if empty."""
    if not ordered:
        raise ValueError("a quantile needs at least one value")
    position = (len(ordered) - 1) * q
    below = int(position)
    share = position - below
    if share == 0:
        return float(ordered[below])
    return ordered[below] + share * (ordered[below + 1] - ordered[below])


def median(values: Sequence[float]) -> float:
    """The middle value, in the values' unit; order does not matter. Raises ValueError if empty."""
    return quantile(sorted(values), 0.5)


def window_median(latencies_ns: Sequence[int]) -> float:
    """:func:`median` of raw latencies (ns), without ordering them all: a large report has thousands.

    Raises ValueError if empty.
    """
    import numpy as np

    places = [(len(latencies_ns) - 1) // 2, len(latencies_ns) // 2]
    ordered = np.partition(np.asarray(latencies_ns, dtype=np.int64), places)
    return quantile(ordered[places].tolist(), 0.5)


def median_deviation(values: Sequence[float], centre: float) -> float:
    """Median absolute deviation (MAD) from ``centre``, unscaled. Raises ValueError if empty."""
    return median([abs(value - centre) for value in values])

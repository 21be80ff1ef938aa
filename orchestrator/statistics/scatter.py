"""Where the differences between a case's iterations come from: inside launches, or between them.

A random-effects model of one factor (Searle, Casella and McCulloch 1992): the variance of launch medians is
that between launches plus the variance of a median inside one, which is taken off. The latter comes from the
order statistics that bound a median (McKean and Schrader 1984), at as many iterations as are independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.domain import Quantile, Scatter
from orchestrator.statistics.noise import CUT
from orchestrator.statistics.quantiles import MAD_TO_STDEV

if TYPE_CHECKING:
    import numpy as np

_NORMAL = 1.959964
# Autocorrelation is looked for over no more iterations than this: of longer windows the first so many.
_MOST = 1 << 16


def scatter(windows: Sequence[Sequence[int]], medians: Sequence[float], p999: Quantile) -> Scatter:
    """The structure of a case from the raw latencies (ns) of its launches, none empty.

    ``medians`` are the windows' medians in the same order.
    """
    import numpy as np

    arrays = [np.asarray(window, dtype=np.float64) for window in windows]
    spreads = [
        array.std(ddof=1) / array.mean() if len(array) > 1 and array.any() else 0.0 for array in arrays
    ]
    alike, effective = zip(*(memory(array) for array in arrays), strict=True)
    errors = [_median_variance(array, count) for array, count in zip(arrays, effective, strict=True)]
    return Scatter(
        float(np.median(spreads)),
        _between(medians, errors),
        _mean([one for one in alike if one is not None]),
        math.fsum(effective),
        p999,
    )


def memory(values: np.ndarray[Any, Any]) -> tuple[float | None, float]:
    """The correlation of neighbours (lag 1), and how many independent values would tell as much of the mean.

    The latter is ``n / (1 + 2 sum of autocorrelations)``, at most n, summed over pairs of lags while these
    are above 0 and made never to rise (initial monotone sequence; Geyer 1992, "Practical Markov chain Monte
    Carlo"). Values far off are cut. None where all others are equal.
    """
    import numpy as np

    count = len(values)
    part = values[:_MOST]
    part = part - np.median(part)
    limit = CUT * MAD_TO_STDEV * np.median(np.abs(part))
    part = np.clip(part, -limit, limit)
    part -= part.mean()
    if len(part) < 2 or not part.any():
        return None, float(count)
    power = np.abs(np.fft.rfft(part, 1 << (2 * len(part) - 1).bit_length())) ** 2
    covariance = np.fft.irfft(power)[: len(part) // 2 * 2]
    pairs = (covariance[0::2] + covariance[1::2]) / covariance[0]
    ends = np.flatnonzero(pairs <= 0)
    pairs = np.minimum.accumulate(pairs[: ends[0]] if len(ends) else pairs)
    effective = min(count, count / max(2 * float(pairs.sum()) - 1, 1.0))
    return float(covariance[1] / covariance[0]), float(effective)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _median_variance(values: np.ndarray[Any, Any], effective: float) -> float:
    """The variance of a window's median (ns^2)."""
    import numpy as np

    count = len(values)
    reach = _NORMAL / 2 * count / math.sqrt(effective)
    low = max(0, round((count - 1) / 2 - reach))
    high = count - 1 - low
    if high <= low:
        return 0.0
    low_ns, high_ns = np.partition(values, [low, high])[[low, high]]
    return float(((high_ns - low_ns) / 2 / _NORMAL) ** 2)


def _between(medians: Sequence[float], errors: Sequence[float]) -> float | None:
    count = len(medians)
    mean = math.fsum(medians) / count
    if count < 2 or not mean:
        return None
    seen = math.fsum((value - mean) ** 2 for value in medians) / (count - 1)
    return math.sqrt(max(0.0, seen - math.fsum(errors) / count)) / mean

"""How noisy a window is when neighbours resemble each other. Plain Python: every trial asks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.statistics.quantiles import MAD_TO_STDEV, median, median_deviation

# Beyond so many deviations a value is taken for one that far off: a single slow iteration has no neighbours.
CUT = 5.0
# Variance of a median over that of a mean, of normal values.
MEDIAN_VARIANCE = math.pi / 2
# Closer to 1 than this a window of any length looks like one that drifts.
_MOST = 0.98
# Of longer windows the first so many values tell how they resemble each other.
_MOST_VALUES = 1 << 16
_BLOCKS = 10
_LEAST_BLOCK = 16


def worth(values: Sequence[float]) -> float:
    """How many independent values would tell as much about the mean, at most as many as there are.

    By means of consecutive batches, as many as each is long (Flegal and Jones 2010): the variance of all
    values over that of the means is what a batch is worth. Values far off are cut. Raises ValueError where
    there are none.
    """
    near = _centred(values[:_MOST_VALUES])
    length = math.isqrt(len(near))
    batches = len(near) // length
    if batches < 2:
        return float(len(values))
    means = [math.fsum(near[i * length : (i + 1) * length]) / length for i in range(batches)]
    middle = math.fsum(means) / batches
    between = math.fsum((mean - middle) ** 2 for mean in means) / (batches - 1)
    within = math.fsum(value * value for value in near) / len(near)
    each = within / between if between else length
    return len(values) * min(1.0, each / length)


def long_run_deviation(values: Sequence[float]) -> float:
    """Standard deviation (in the values' unit) of one of n independent values whose mean is as uncertain.

    Of an autoregressive process of first order with coefficient f: its innovations' deviation over 1 - f.
    Both are found inside blocks of the window, so that its course does not pass for noise; a short block
    shows less than f, by ``(1 + 4 f) / length`` (Kendall 1954), which is put back. 0 where values are equal.
    """
    blocks = max(1, min(_BLOCKS, len(values) // _LEAST_BLOCK))
    edges = [len(values) * i // blocks for i in range(blocks + 1)]
    alike, innovations = [], []
    for start, end in zip(edges, edges[1:], strict=False):
        near = _centred(values[start:end])
        squares = math.fsum(value * value for value in near)
        found = math.fsum(a * b for a, b in zip(near, near[1:], strict=False)) / squares if squares else 0.0
        alike.append(found)
        innovations.append(math.sqrt(squares / len(near) * (1 - found * found)))
    length = len(values) / blocks
    coefficient = min(max((median(alike) + 1 / length) / (1 - 4 / length), 0.0), _MOST)
    return median(innovations) / (1 - coefficient)


def _centred(values: Sequence[float]) -> list[float]:
    centre = median(values)
    limit = CUT * MAD_TO_STDEV * median_deviation(values, centre)
    near = [min(max(value - centre, -limit), limit) for value in values]
    mean = math.fsum(near) / len(near)
    return [value - mean for value in near]

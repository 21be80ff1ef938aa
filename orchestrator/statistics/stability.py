"""Signs that a figure is not stable, inside one window and between launches.

Rules from pyperf (``_cli.py``: standard deviation, extremes) and hyperfine
(``outlier_detection.rs``: modified z-score). All shares are fractions, 0.1 is 10 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.domain import Latency
from orchestrator.statistics.latency import launch_latency
from orchestrator.statistics.noise import MEDIAN_VARIANCE, long_run_deviation
from orchestrator.statistics.quantiles import MAD_TO_STDEV, median, median_deviation
from orchestrator.statistics.student import LEAST_LAUNCHES

_MINUTE_NS = 60_000_000_000
SPREAD_LIMIT = 0.10
EXTREME_LIMIT = 0.50
OUTLIER_DEVIATIONS = 10.0
TREND_LIMIT = 0.05
TREND_BLOCKS = 10
# Kendall's S of 10 blocks beyond which rising or falling is no chance (two-sided p < 0.01).
TREND_SCORE = 29
TREND_DEVIATIONS = 3.0
LEAST_TREND_VALUES = 4 * TREND_BLOCKS
APART_LIMIT = 0.10


def spread(latency: Latency) -> float:
    """Standard deviation over mean of one window."""
    return latency.stdev_ns / latency.mean_ns if latency.mean_ns else 0.0


def spread_by_minute(values: Sequence[int]) -> float:
    """Median over a long window's minutes (each at least one of latencies, ns) of deviation over mean.

    What a window's slow course adds is not in it. Raises ValueError when there are no values.
    """
    found, start, elapsed_ns = [], 0, 0
    for position, value in enumerate(values, start=1):
        elapsed_ns += value
        if elapsed_ns >= _MINUTE_NS:
            found.append(spread(launch_latency(values[start:position])))
            start, elapsed_ns = position, 0
    return median(found) if found else spread(launch_latency(values))


def extremes(latency: Latency) -> tuple[float, float]:
    """How far the minimum and the maximum lie from the mean, as shares of it: (-0.02, 1.7)."""
    if not latency.mean_ns:
        return 0.0, 0.0
    return latency.min_ns / latency.mean_ns - 1, latency.max_ns / latency.mean_ns - 1


def outliers(values: Sequence[float]) -> int:
    """How many values lie more than 10 standard deviations, estimated by 1.4826 MAD, from the median.

    The clock's step of 1 ns is the least deviation, or equal values would make any other an outlier.
    """
    centre = median(values)
    limit = OUTLIER_DEVIATIONS * MAD_TO_STDEV * max(median_deviation(values, centre), 1.0)
    return sum(abs(value - centre) > limit for value in values)


def trend(values: Sequence[float]) -> float | None:
    """Relative change from the first to the last third of a window in time order, or None if there is none.

    The medians of ten consecutive blocks must rise or fall (Kendall's S, p < 0.01) and the thirds'
    medians must differ by 5 %, the shift warm-up calls unsteady, and by three standard errors: where
    neighbours resemble each other, windows wander by themselves. None below 40 values.
    """
    count = len(values)
    if count < LEAST_TREND_VALUES:
        return None
    edges = [count * i // TREND_BLOCKS for i in range(TREND_BLOCKS + 1)]
    blocks = [median(values[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    score = sum(
        (blocks[j] > blocks[i]) - (blocks[j] < blocks[i]) for i in range(TREND_BLOCKS) for j in range(i)
    )
    start, end = median(values[: count // 3]), median(values[-(count // 3) :])
    change = end / start - 1 if start else 0.0
    if abs(score) < TREND_SCORE or abs(change) < TREND_LIMIT:
        return None
    error = long_run_deviation(values) * math.sqrt(MEDIAN_VARIANCE * 2 / (count // 3))
    return change if abs(end - start) >= TREND_DEVIATIONS * error else None


def between_launch_cv(medians: Sequence[float]) -> float | None:
    """Standard deviation (divisor n - 1) of launch medians over their mean.

    None below two launches, or at a mean of 0.
    """
    mean = math.fsum(medians) / len(medians) if len(medians) > 1 else 0.0
    if not mean:
        return None
    return math.sqrt(math.fsum((value - mean) ** 2 for value in medians) / (len(medians) - 1)) / mean


def slow_first(medians: Sequence[float]) -> float | None:
    """How much slower the first launch is than the median of the others, or None if it is not.

    It must be at least 10 % slower and an outlier of theirs by the modified z-score. With fewer than
    four others that happens by chance too often, so then it is never said.
    """
    excess = _excess(medians, 0)
    return excess if excess is not None and excess > 0 else None


def launch_apart(medians: Sequence[float]) -> tuple[int, float] | None:
    """The launch farthest from the others by the same rule, to either side, and how far; or None."""
    centre = median(medians)
    position = max(range(len(medians)), key=lambda i: abs(medians[i] - centre))
    excess = _excess(medians, position)
    return None if excess is None else (position, excess)


def _excess(medians: Sequence[float], position: int) -> float | None:
    one, others = medians[position], [*medians[:position], *medians[position + 1 :]]
    if len(others) < 4:
        return None
    centre = median(others)
    # The deviation of few launches can be small by chance: 1 % of the median is the least.
    deviation = max(MAD_TO_STDEV * median_deviation(others, centre), 0.01 * centre)
    far = abs(one - centre) >= APART_LIMIT * centre and abs(one - centre) > OUTLIER_DEVIATIONS * deviation
    return (one - centre) / centre if far else None


def stability(medians: Sequence[float], modes: int, spreads: Sequence[float]) -> str | None:
    """How a case's launches hold together: STABLE, MULTIMODAL or UNSTABLE; None below three launches.

    ``medians`` (ns) and ``spreads`` (stdev over mean) are one a launch; ``modes`` is the number of speed
    modes. UNSTABLE: launches differ by 10 %, one lies apart, or two windows spread by 10 %.
    """
    if len(medians) < LEAST_LAUNCHES:
        return None
    if modes > 1:
        return "MULTIMODAL"
    between = between_launch_cv(medians) or 0.0
    noisy = sum(spread >= SPREAD_LIMIT for spread in spreads)
    return "UNSTABLE" if between >= SPREAD_LIMIT or noisy > 1 or launch_apart(medians) else "STABLE"

"""The 95 % interval of a case: a hierarchical bootstrap over launches, never over pooled iterations.

What is estimated is the mean over launches of each launch's median. A resample draws launches with
replacement and, within each drawn launch, its iterations with replacement. Five launches are few:
the plain percentile interval then covers the truth in 80 to 90 % of cases only, so the bootstrap is
studentised (bootstrap-t; Efron and Tibshirani 1993, chapter 12; Hall 1988): each resample gives
``t = (its mean - the mean) / its standard error``, and the quantiles of t replace a table's.
With 3 or 4 launches too many resamples consist of one launch alone for the tails of t to mean
anything, so Student's t over the launch medians is taken, and the method says so.

The tails of t found from few launches are sometimes too short by chance, most for heavy tails, so to
neither side does the interval reach less far than NARROWEST of Student's t. docs/adr/0020-statistics.md
has the simulated coverage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.domain import Interval
from orchestrator.statistics.quantiles import window_median
from orchestrator.statistics.student import LEAST_LAUNCHES, student_t

if TYPE_CHECKING:
    import numpy as np

LEAST_BOOTSTRAP_LAUNCHES = 5
RESAMPLES = 4000
# Resamples that drew nearly one launch alone make the tails of t as long as chance likes. Cut at this
# multiple of Student's t the coverage stays (simulated: at most 0.2 % less), the width does not explode.
WIDEST = 2.5
# Without it, Student t launches (3 degrees) are covered in 92 to 94 % of cases.
NARROWEST = 0.85
# Resampled medians of each launch, from which the resamples take theirs: drawing them is what costs time.
POOL = 400


def launch_interval(windows: Sequence[Sequence[int]], seed: int) -> Interval | str:
    """The 95 % interval (ns) of the mean launch median, or the reason there is none.

    ``windows`` holds the raw latencies (ns) of each launch, none empty. The same seed gives the
    same interval. Latencies are positive, so a lower end below 0 is cut there.
    """
    launches = len(windows)
    if launches < LEAST_LAUNCHES:
        return f"an interval needs at least {LEAST_LAUNCHES} launches, this case has {launches}"
    medians = [window_median(window) for window in windows]
    mean = math.fsum(medians) / launches
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in medians) / (launches - 1) / launches)
    student = student_t(launches - 1)
    if launches < LEAST_BOOTSTRAP_LAUNCHES:
        low, high, method = -student, student, f"Student t over {launches} launches"
    else:
        low, high = _tails(windows, mean, WIDEST * student, seed)
        low, high = min(low, -NARROWEST * student), max(high, NARROWEST * student)
        method = f"hierarchical bootstrap-t over {launches} launches"
    return Interval(max(0.0, mean - high * error), mean - low * error, method)


def _tails(windows: Sequence[Sequence[int]], mean: float, limit: float, seed: int) -> tuple[float, float]:
    """The 2.5 % and 97.5 % quantiles of t over resamples, within the limit to both sides."""
    import numpy as np

    random = np.random.default_rng(seed)
    launches = len(windows)
    drawn = random.integers(0, launches, (RESAMPLES, launches))
    ordered = [np.sort(np.asarray(window)) for window in windows]
    pool = resampled_medians(ordered, np.tile(np.arange(launches), (POOL, 1)), random)
    medians = pool[random.integers(0, POOL, drawn.shape), drawn]
    errors = medians.std(axis=1, ddof=1) / math.sqrt(launches)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (medians.mean(axis=1) - mean) / errors
    t[np.isnan(t)] = 0.0  # 0 / 0: the resample equals the mean exactly
    low, high = np.quantile(np.clip(t, -limit, limit), [0.025, 0.975])
    return float(low), float(high)


def resampled_medians(
    ordered: Sequence[np.ndarray[Any, Any]], drawn: np.ndarray[Any, Any], random: np.random.Generator
) -> np.ndarray[Any, Any]:
    """For each drawn launch the median of its window resampled with replacement, without resampling it.

    A resample of n values is ``x[floor(n u)]`` of n uniform u, so its k-th smallest value is
    ``x[floor(n u_k)]`` of the k-th smallest u, whose distribution is Beta(k, n + 1 - k). Given the
    upper middle one, the lower is its multiple by the largest of k uniforms, ``v ** (1 / k)``.
    This is the same distribution, not an approximation, at two random numbers a median.
    """
    import numpy as np

    sizes = np.array([len(values) for values in ordered])
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    flat = np.concatenate(ordered).astype(np.float64)
    n, start = sizes[drawn], starts[drawn]
    half = n // 2
    upper = random.beta(half + 1, n - half)
    lower = np.where(n % 2 == 1, upper, upper * random.random(drawn.shape) ** (1 / np.maximum(half, 1)))
    # A uniform of 1 - 1e-17 rounds to 1; the index must stay inside the window.
    high_index = np.minimum((n * upper).astype(np.int64), n - 1)
    low_index = np.minimum((n * lower).astype(np.int64), n - 1)
    medians: np.ndarray[Any, Any] = (flat[start + high_index] + flat[start + low_index]) / 2
    return medians

"""The 95 % interval of a mean of few values, by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST_LAUNCHES = 3
# Two-sided 95 % points of Student's t for 2 and more degrees of freedom (launches - 1).
_POINTS = (4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)


def student_t(launches: int) -> float:
    """The 95 % point for this many values (at least 3); beyond 11 that of 11, a little too wide."""
    return _POINTS[min(launches - LEAST_LAUNCHES, len(_POINTS) - 1)]


def mean_interval(values: Sequence[float]) -> tuple[float, float] | str:
    """Low and high of the mean of one value a launch, in their unit, or the reason there is no interval."""
    launches = len(values)
    if launches < LEAST_LAUNCHES:
        return f"an interval needs at least {LEAST_LAUNCHES} launches, this case has {launches}"
    mean = math.fsum(values) / launches
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (launches - 1) / launches)
    return mean - student_t(launches) * error, mean + student_t(launches) * error

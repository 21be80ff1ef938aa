"""Student's t: how many standard errors a 95 % interval of a few values reaches to either side."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST_LAUNCHES = 3

# Two-sided 95 % points for 1 and more degrees of freedom (values less one); beyond, those of the normal's
# expansion (Abramowitz and Stegun 26.7.5), exact to 0.1 % from there on.
_POINTS = (12.706, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
_NORMAL = 1.959964


def student_t(degrees: int) -> float:
    """The two-sided 95 % point. Raises ValueError below one degree of freedom."""
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom")
    if degrees <= len(_POINTS):
        return _POINTS[degrees - 1]
    cube, fifth = _NORMAL**3, _NORMAL**5
    first = (cube + _NORMAL) / 4 / degrees
    return _NORMAL + first + (5 * fifth + 16 * cube + 3 * _NORMAL) / 96 / degrees**2


def mean_interval(values: Sequence[float]) -> tuple[float, float] | str:
    """Low and high of the mean of one value a launch, in their unit, or the reason there is no interval."""
    launches = len(values)
    if launches < LEAST_LAUNCHES:
        return f"an interval needs at least {LEAST_LAUNCHES} launches, this case has {launches}"
    mean = math.fsum(values) / launches
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (launches - 1) / launches)
    reach = student_t(launches - 1) * error
    return mean - reach, mean + reach

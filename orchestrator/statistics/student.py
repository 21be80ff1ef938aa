"""Student's t: how many standard errors a 95 % interval of a few values reaches to either side."""

from __future__ import annotations

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

"""The ratio of two independent estimates, from their intervals alone.

The method of variance estimates recovery for a ratio (MOVER-R; Donner and Zou 2012, Statistical Methods in
Medical Research 21(4), equation 8): each limit takes the distance of the estimate to that end of each
interval which makes the ratio extreme, so asymmetric intervals stay asymmetric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A positive value and its 95 % interval, in any unit."""

    value: float
    low: float
    high: float


def quotient(top: Estimate, bottom: Estimate) -> Estimate | None:
    """``top / bottom`` with its 95 % interval; None where the lower one's interval reaches 0."""
    if bottom.low <= 0 or bottom.value <= 0 or top.low < 0:
        return None
    product = top.value * bottom.value
    low = _limit(product, top.low * bottom.high, 2 * top.value - top.low, 2 * bottom.value - bottom.high, -1)
    high = _limit(product, top.high * bottom.low, 2 * top.value - top.high, 2 * bottom.value - bottom.low, 1)
    spans = bottom.high * (2 * bottom.value - bottom.high), bottom.low * (2 * bottom.value - bottom.low)
    if spans[0] <= 0 or spans[1] <= 0:
        return None
    ratio = top.value / bottom.value
    return Estimate(ratio, min(ratio, max(0.0, low / spans[0])), max(ratio, high / spans[1]))


def _limit(product: float, ends: float, top: float, bottom: float, sign: int) -> float:
    return product + sign * math.sqrt(max(0.0, product**2 - ends * top * bottom))

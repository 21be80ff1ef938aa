"""Whether two readers of one power sensor, ours and jtop's, tell the same.

Both read the same INA3221 channel, so calibration and noise of the chip cancel; what may differ is the
moment and the last digit. What is to be found out is a wrong channel or unit: another rail in place of
the input (a third to a half of it on an Orin), rails added to an input that holds them already (20 to
30 % too much on a Nano), milliwatts for watts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# The coarsest chip of these boards shows steps of 40 mW: each reader may be one off.
STEPS_W = 0.08
# Between two of our readings the load may go further than either of them shows; less than half of what the
# smallest error above would make.
MARGIN = 0.1


@dataclass(frozen=True)
class CrossCheck:
    """``agrees`` is None where one of the two has no figure; ``difference_w`` is jtop's less the nearest
    of ours within their span, 0 inside it."""

    agrees: bool | None
    difference_w: float | None = None
    tolerance_w: float | None = None
    reason: str | None = None  # why ``agrees`` is None


def cross_check(ours_w: Sequence[float], jtop_total_w: float | None) -> CrossCheck:
    """Compare our readings of the total in W, all between jtop's ``t0_ns`` and ``t1_ns`` and the nearest
    on both sides, with jtop's total in W.

    Figures agree when jtop's lies between our lowest and our highest, or no further outside than
    ``STEPS_W`` and ``MARGIN`` of our highest.
    """
    figures = [w for w in ours_w if math.isfinite(w)]
    if not figures:
        return CrossCheck(None, reason="no reading of ours")
    if jtop_total_w is None or not math.isfinite(jtop_total_w):
        return CrossCheck(None, reason="no total of jtop's")
    low, high = min(figures), max(figures)
    difference_w = jtop_total_w - min(max(jtop_total_w, low), high)
    tolerance_w = STEPS_W + MARGIN * high
    return CrossCheck(abs(difference_w) <= tolerance_w, difference_w, tolerance_w)

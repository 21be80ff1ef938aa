"""What a technique gains over several trainings: one training more or less lucky proves nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from orchestrator.statistics.student import mean_interval


def gain(
    model: str, variant: str, against: str, pairs: Sequence[tuple[int, float | None, float | None]]
) -> dict[str, Any]:
    """The mean gain in points with its 95 % interval (Student's t), as a JSON object.

    ``pairs``: by seed the accuracy (0 to 1) with the technique and without it, trained from the same
    seed; a pair with None is left out and said.
    """
    seeds = [seed for seed, with_, without in pairs if with_ is not None and without is not None]
    points = [
        100 * (with_ - without) for _, with_, without in pairs if with_ is not None and without is not None
    ]
    interval = mean_interval(points)
    low, high = (None, None) if isinstance(interval, str) else interval
    return {
        "model": model,
        "variant": variant,
        "against": against,
        "seeds": seeds,
        "gains_points": points,
        "mean_points": math.fsum(points) / len(points) if points else None,
        "low_points": low,
        "high_points": high,
        "verdict": _verdict(low, high, len(points)),
        "left_out": [seed for seed, with_, without in pairs if with_ is None or without is None],
    }


def _verdict(low: float | None, high: float | None, count: int) -> str:
    if low is None or high is None:
        return f"no verdict: {count} pairs of trainings, an interval needs 3"
    if low > 0:
        return "helps: the interval lies above 0"
    if high < 0:
        return "hurts: the interval lies below 0"
    return "no gain shown: the interval holds 0"

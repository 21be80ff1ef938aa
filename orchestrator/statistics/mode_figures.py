"""The figures of each speed mode: its p50 with an interval, and its share of launches with one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.domain import Interval, SpeedMode
from orchestrator.statistics.bootstrap import launch_interval

_NORMAL = 1.959964  # two-sided 95 % point


def mode_figures(
    windows: Sequence[Sequence[int]], medians: Sequence[float], groups: Sequence[Sequence[float]], seed: int
) -> tuple[SpeedMode, ...]:
    """One entry a group of ``speed_modes(medians)``, none where there is one group alone.

    ``windows`` holds the raw latencies (ns) of each launch, ``medians`` their medians in the same order.
    A mode's interval is that of a case made of its launches alone.
    """
    if len(groups) < 2:
        return ()
    figures = []
    for group in groups:
        pairs = zip(windows, medians, strict=True)
        own = [window for window, value in pairs if group[0] <= value <= group[-1]]
        interval = launch_interval(own, seed)
        known = interval if isinstance(interval, Interval) else None
        figures.append(
            SpeedMode(
                math.fsum(group) / len(group),
                len(group),
                len(group) / len(medians),
                *share_interval(len(group), len(medians)),
                known.low_ns if known else None,
                known.high_ns if known else None,
            )
        )
    return tuple(figures)


def share_interval(seen: int, launches: int) -> tuple[float, float]:
    """The 95 % interval of a share of which ``seen`` of ``launches`` were seen (Wilson 1927).

    Raises ValueError where ``seen`` is not within 0 and ``launches``, or there is no launch.
    """
    if launches < 1 or not 0 <= seen <= launches:
        raise ValueError(f"{seen} of {launches} launches")
    share, square = seen / launches, _NORMAL**2
    centre = share + square / 2 / launches
    reach = _NORMAL * math.sqrt(share * (1 - share) / launches + square / 4 / launches**2)
    scale = 1 + square / launches
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)

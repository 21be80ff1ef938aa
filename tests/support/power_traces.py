"""Power over time with its integral known, and sensors that look at it.

A trace tells its power at a time and its energy between two times, both exactly; times are seconds of the
trace's own clock, so it can be played against any clock: as fast as a test likes (:func:`lines`), or in
real time by whoever writes a sensor's :meth:`Sensor.value` of now into a file.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any, Protocol

import numpy as np

Window = tuple[float, float]  # s


class Trace(Protocol):
    """Watts over time; ``energy_j(start_s, end_s)`` is the exact integral of ``power_w``."""

    def power_w(self, t_s: float) -> float: ...

    def energy_j(self, start_s: float, end_s: float) -> float: ...


@dataclass(frozen=True)
class Constant:
    watts: float

    def power_w(self, t_s: float) -> float:
        return self.watts

    def energy_j(self, start_s: float, end_s: float) -> float:
        return self.watts * (end_s - start_s)


@dataclass(frozen=True)
class Ramp:
    """``watts`` at time 0, growing by ``slope_w`` each second."""

    watts: float
    slope_w: float

    def power_w(self, t_s: float) -> float:
        return self.watts + self.slope_w * t_s

    def energy_j(self, start_s: float, end_s: float) -> float:
        return self.power_w((start_s + end_s) / 2) * (end_s - start_s)


@dataclass(frozen=True)
class Square:
    """``high_w`` for the first ``duty`` of each period, ``low_w`` for the rest."""

    low_w: float
    high_w: float
    period_s: float
    duty: float
    offset_s: float = 0.0

    def power_w(self, t_s: float) -> float:
        share = ((t_s - self.offset_s) / self.period_s) % 1.0
        return self.high_w if share < self.duty else self.low_w

    def energy_j(self, start_s: float, end_s: float) -> float:
        high_s = self._high_s(end_s) - self._high_s(start_s)
        return self.low_w * (end_s - start_s) + (self.high_w - self.low_w) * high_s

    def _high_s(self, t_s: float) -> float:
        whole, share = divmod((t_s - self.offset_s) / self.period_s, 1.0)
        return self.period_s * (whole * self.duty + min(share, self.duty))


class Steps:
    """Cells of equal length from time 0 on, each with its power; the first and last go on forever."""

    def __init__(self, cell_s: float, watts: Sequence[float]) -> None:
        self._cell_s, self._watts = cell_s, list(watts)
        self._sums = [0.0, *accumulate(self._watts)]

    def power_w(self, t_s: float) -> float:
        return self._watts[self._cell(t_s)]

    def energy_j(self, start_s: float, end_s: float) -> float:
        return self._until(end_s) - self._until(start_s)

    def _cell(self, t_s: float) -> int:
        return min(max(math.floor(t_s / self._cell_s), 0), len(self._watts) - 1)

    def _until(self, t_s: float) -> float:
        cell = self._cell(t_s)
        return self._sums[cell] * self._cell_s + self._watts[cell] * (t_s - cell * self._cell_s)


@dataclass(frozen=True)
class Spikes:
    """``height_w`` for ``width_s`` from each start on (ascending, apart by more than the width), else 0."""

    starts_s: tuple[float, ...]
    width_s: float
    height_w: float

    def power_w(self, t_s: float) -> float:
        last = bisect.bisect_right(self.starts_s, t_s) - 1
        return self.height_w if last >= 0 and t_s - self.starts_s[last] < self.width_s else 0.0

    def energy_j(self, start_s: float, end_s: float) -> float:
        return self.height_w * (self._on_s(end_s) - self._on_s(start_s))

    def _on_s(self, t_s: float) -> float:
        begun = bisect.bisect_right(self.starts_s, t_s)
        if not begun:
            return 0.0
        return (begun - 1) * self.width_s + min(t_s - self.starts_s[begun - 1], self.width_s)


@dataclass(frozen=True)
class Sum:
    parts: tuple[Trace, ...]

    def power_w(self, t_s: float) -> float:
        return sum(part.power_w(t_s) for part in self.parts)

    def energy_j(self, start_s: float, end_s: float) -> float:
        return sum(part.energy_j(start_s, end_s) for part in self.parts)


@dataclass(frozen=True)
class Phases:
    """One trace after another: each ``(until_s, trace)`` in order, the last for all the rest."""

    parts: tuple[tuple[float, Trace], ...]

    def power_w(self, t_s: float) -> float:
        for until_s, trace in self.parts:
            if t_s < until_s:
                return trace.power_w(t_s)
        return self.parts[-1][1].power_w(t_s)

    def energy_j(self, start_s: float, end_s: float) -> float:
        total, at_s = 0.0, start_s
        for until_s, trace in [*self.parts[:-1], (math.inf, self.parts[-1][1])]:
            stop_s = min(until_s, end_s)
            if stop_s > at_s:
                total += trace.energy_j(at_s, stop_s)
                at_s = stop_s
        return total


def white(random: Random, sigma_w: float, cell_s: float, length_s: float) -> Steps:
    """Noise around 0 without memory beyond one cell."""
    return Steps(cell_s, _normal(random, sigma_w, math.ceil(length_s / cell_s)))


def ar1(random: Random, sigma_w: float, memory_s: float, cell_s: float, length_s: float) -> Steps:
    """Noise around 0 whose autocorrelation falls to 1/e within ``memory_s``; stationary from the start."""
    keep = math.exp(-cell_s / memory_s)
    drives = _normal(random, sigma_w * math.sqrt(1 - keep * keep), math.ceil(length_s / cell_s))
    first_w = random.gauss(0, sigma_w)
    return Steps(cell_s, list(accumulate(drives, lambda last, drive: keep * last + drive, initial=first_w)))


def _normal(random: Random, sigma_w: float, count: int) -> list[float]:
    values: list[float] = np.random.default_rng(random.getrandbits(64)).normal(0, sigma_w, count).tolist()
    return values


def spikes(random: Random, each_s: float, width_s: float, height_w: float, length_s: float) -> Spikes:
    """Spikes at random times, ``each_s`` apart on average (and never closer than their width)."""
    starts, at_s = [], random.expovariate(1 / each_s)
    while at_s < length_s:
        starts.append(at_s)
        at_s += width_s + random.expovariate(1 / max(each_s - width_s, 1e-9))
    return Spikes(tuple(starts), width_s, height_w)


@dataclass(frozen=True)
class Sensor:
    """What a sensor shows of a trace: it updates every ``update_s`` (0: at any time) in steps of ``step``.

    ``kind``: ``points`` shows the power at its last update, ``average`` the mean power between its last two
    updates (without ``update_s``: over ``average_s`` until now), ``counter`` the joules since time 0 at its
    last update, rounded down.
    """

    trace: Trace
    kind: str = "points"
    update_s: float = 0.0
    step: float = 0.0
    average_s: float = 0.0
    offset_s: float = 0.0  # when the updates happen

    def value(self, t_s: float) -> float:
        """Watts, or joules of a counter."""
        at_s = t_s
        if self.update_s:
            at_s = math.floor((t_s - self.offset_s) / self.update_s) * self.update_s + self.offset_s
        if self.kind == "counter":
            joules = self.trace.energy_j(0.0, at_s)
            return math.floor(joules / self.step) * self.step if self.step else joules
        if self.kind == "average":
            span_s = self.average_s or self.update_s
            watts = self.trace.energy_j(at_s - span_s, at_s) / span_s
        else:
            watts = self.trace.power_w(at_s)
        return round(watts / self.step) * self.step if self.step else watts


@dataclass(frozen=True)
class Schedule:
    """When readings happen: every ``interval_s``, off by up to ``jitter_s`` to either side, each taking up
    to ``width_s``; ``lost`` tells by number which give no value, ``missed`` which do not happen at all.
    """

    interval_s: float = 0.1
    jitter_s: float = 0.0
    width_s: float = 0.0
    offset_s: float = 0.0
    lost: Callable[[int], bool] = field(default=lambda number: False)
    missed: Callable[[int], bool] = field(default=lambda number: False)


ORIGIN_NS = 5_000_000_000_000  # where time 0 of a trace lies on CLOCK_MONOTONIC


def ns(t_s: float) -> int:
    """A time of the trace on the readings' clock."""
    return ORIGIN_NS + round(t_s * 1e9)


def window_ns(window: Window) -> tuple[int, int]:
    return ns(window[0]), ns(window[1])


def lines(
    sensor: Sensor, span: Window, schedule: Schedule, random: Random, source: str = "ina3221.VDD_IN"
) -> list[dict[str, Any]]:
    """Telemetry lines of one sensor over a span; the value is taken at a random time within each read."""
    counter = sensor.kind == "counter"
    found = []
    for number in range(math.floor((span[1] - span[0] - schedule.offset_s) / schedule.interval_s) + 1):
        if schedule.missed(number):
            continue
        at_s = span[0] + schedule.offset_s + number * schedule.interval_s
        at_s += random.uniform(-schedule.jitter_s, schedule.jitter_s)
        width_s = random.uniform(schedule.width_s / 2, schedule.width_s)
        lost = schedule.lost(number)
        found.append(
            {
                "type": "reading",
                "source": source,
                "scope": "module_input",
                "method": "counter" if counter else "sampled",
                "unit": "j" if counter else "w",
                "value": None if lost else sensor.value(at_s + random.uniform(0, width_s)),
                "reason": "eagain" if lost else None,
                "t0_ns": ns(at_s),
                "t1_ns": ns(at_s + width_s),
            }
        )
    return found

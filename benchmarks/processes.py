"""Simulated cases whose truth is known: what launches and their windows do, as arrays of latencies in ns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Random = np.random.Generator
Array = np.ndarray[Any, Any]

CENTRE_NS = 1e7
# MobileNetV2 int8 on a Raspberry Pi 5 (ODuqueDvise/edge-ai-benchmark): 21.7, 25.3 and 28 to 30 ms, here
# equally often. The spread inside the first two is 0.5 % of them.
MODES_NS = (21.7e6, 25.3e6, 29e6)
_MODE_SPREADS = (0.005, 0.005, 0.0)
_LAST_MODE_NS = (28e6, 30e6)
_WITHIN = 0.02


@dataclass(frozen=True)
class Process:
    """``effects(random, shape)`` are launches' relative deviations, of mean ``mean``; ``alike`` is the
    autocorrelation inside windows."""

    effects: Callable[[Random, tuple[int, ...]], Array]
    mean: float = 0.0
    alike: float = 0.0

    @property
    def truth_ns(self) -> float:
        """What an interval of the case's p50 must hold."""
        return CENTRE_NS * (1 + self.mean)

    def windows(self, random: Random, launches: int, size: int) -> Array:
        """Latencies (ns) of one case, shape (launches, size)."""
        effects = self.effects(random, (launches,))
        return CENTRE_NS * (
            1 + effects[:, None] + _WITHIN * autoregressive(random, launches, size, self.alike)
        )


def autoregressive(random: Random, rows: int, size: int, alike: float) -> Array:
    """Stationary normal rows of variance 1 whose neighbours have the correlation ``alike``."""
    steps = random.normal(0, math.sqrt(1 - alike**2), (rows, size))
    if not alike:
        return steps
    steps[:, 0] = random.normal(0, 1, rows)
    for i in range(1, size):
        steps[:, i] += alike * steps[:, i - 1]
    return steps


def _normal(random: Random, shape: tuple[int, ...]) -> Array:
    return random.normal(0, 0.05, shape)


def _lognormal(random: Random, shape: tuple[int, ...]) -> Array:
    return np.exp(random.normal(0, 0.25, shape)) - 1


def _heavy(random: Random, shape: tuple[int, ...]) -> Array:
    return 0.02 * random.standard_t(3, shape)


def _exponential(random: Random, shape: tuple[int, ...]) -> Array:
    return 0.1 * random.exponential(1, shape)


def _uniform(random: Random, shape: tuple[int, ...]) -> Array:
    return 0.4 * random.random(shape)


PROCESSES = {
    "normal": Process(_normal),
    "lognormal": Process(_lognormal, math.exp(0.25**2 / 2) - 1),
    "heavy": Process(_heavy),
    "autocorrelated": Process(_normal, alike=0.9),
    "exponential": Process(_exponential, 0.1),
}
# Launches of one mode, wide enough for the rule of modes to be tempted.
UNIMODAL: dict[str, Callable[[Random, tuple[int, ...]], Array]] = {
    "normal": lambda random, shape: 0.12 * random.normal(0, 1, shape),
    "uniform": _uniform,
    "exponential": lambda random, shape: 0.12 * random.exponential(1, shape),
    "lognormal": lambda random, shape: np.exp(random.normal(0, 0.3, shape)) - 1,
    "t3": lambda random, shape: 0.12 * random.standard_t(3, shape),
}


def moded(random: Random, launches: int, size: int) -> Array:
    """Latencies (ns) of a case whose launches land in one of MODES_NS, shape (launches, size)."""
    place = random.integers(0, len(MODES_NS), launches)
    centres = np.asarray(MODES_NS)[place] * (
        1 + np.asarray(_MODE_SPREADS)[place] * random.normal(0, 1, launches)
    )
    centres = np.where(place == len(MODES_NS) - 1, random.uniform(*_LAST_MODE_NS, launches), centres)
    return centres[:, None] * (1 + 0.01 * random.normal(0, 1, (launches, size)))


def one_slow(random: Random, launches: int) -> Array:
    """Launch medians (ns) of a quiet case in which one launch, any of them, is 15 to 60 % slower."""
    medians = CENTRE_NS * (1 + 0.01 * random.normal(0, 1, launches))
    medians[random.integers(launches)] *= random.uniform(1.15, 1.6)
    return medians

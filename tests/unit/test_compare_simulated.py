"""Verdicts on simulated runs: seldom a difference where there is none, nearly always where one is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from orchestrator.compare.judgement import NONE, look, together
from orchestrator.compare.metrics import BY_NAME, of_launches
from orchestrator.compare.moded import judge

TRIES, LAUNCHES, LEAST = 200, 5, 0.01
Random = np.random.Generator
Launches = Callable[[Random], list[float]]


def _scaled(values: np.ndarray) -> list[float]:
    return (1e6 * values).tolist()


def normal(random: Random) -> list[float]:
    return _scaled(1 + 0.02 * random.normal(size=LAUNCHES))


def noisy(random: Random) -> list[float]:
    """As on a shared machine: launches scatter by a tenth."""
    return _scaled(1 + 0.1 * random.normal(size=LAUNCHES))


def skewed(random: Random) -> list[float]:
    return _scaled(np.exp(0.1 * random.normal(size=LAUNCHES)))


def exponential(random: Random) -> list[float]:
    return _scaled(1 + 0.02 * random.exponential(size=LAUNCHES))


def heavy(random: Random) -> list[float]:
    return _scaled(1 + 0.01 * random.standard_t(3, size=LAUNCHES))


def autocorrelated(random: Random) -> list[float]:
    """Windows whose neighbours resemble each other (AR(1), 0.9): their medians scatter more."""
    medians = []
    for _ in range(LAUNCHES):
        steps = random.normal(0, 0.02 * math.sqrt(1 - 0.9**2), 200)
        values, value = [], random.normal(0, 0.02)
        for step in steps:
            value = 0.9 * value + step
            values.append(value)
        medians.append(1 + 0.01 * random.normal() + float(np.median(values)))
    return _scaled(np.array(medians))


def drifting(random: Random) -> list[float]:
    """Launches that resemble the one before (AR(1), 0.5), as a machine's mood changes slowly."""
    found = [random.normal()]
    for _ in range(LAUNCHES - 1):
        found.append(0.5 * found[-1] + math.sqrt(0.75) * random.normal())
    return _scaled(1 + 0.01 * np.array(found))


def two_modes(random: Random) -> list[float]:
    return _scaled(random.choice([1.0, 1.3], size=LAUNCHES) * (1 + 0.005 * random.normal(size=LAUNCHES)))


def three_modes(random: Random) -> list[float]:
    """As the public measurements of a Pi 5 show them: 21.7, 25.3, 28 to 30 ms."""
    modes = random.choice([21.7, 25.3, 29.0], size=LAUNCHES, p=[0.5, 0.2, 0.3])
    return _scaled(modes * (1 + 0.005 * random.normal(size=LAUNCHES)))


def rare_mode(random: Random) -> list[float]:
    modes = random.choice([1.0, 1.2], size=LAUNCHES, p=[0.85, 0.15])
    return _scaled(modes * (1 + 0.005 * random.normal(size=LAUNCHES)))


def verdicts(launches: Launches, factor: float = 1.0) -> list[str]:
    random = np.random.default_rng(11)
    found = []
    for _ in range(TRIES):
        a, b = launches(random), [factor * value for value in launches(random)]
        found.append(judge(BY_NAME["p50"], of_launches(a, ""), of_launches(b, ""), LEAST).verdict)
    return found


@pytest.mark.parametrize(
    "launches",
    [
        normal,
        noisy,
        skewed,
        exponential,
        heavy,
        autocorrelated,
        drifting,
        two_modes,
        three_modes,
        rare_mode,
    ],
)
def test_equal_runs_show_no_difference_in_95_of_100(launches: Launches) -> None:
    assert verdicts(launches).count(NONE) / TRIES >= 0.95


def test_five_per_cent_is_found_where_launches_scatter_by_one() -> None:
    def steady(random: Random) -> list[float]:
        return _scaled(1 + 0.01 * random.normal(size=LAUNCHES))

    assert verdicts(steady, 1.05).count("slower") / TRIES >= 0.95
    assert verdicts(steady, 1 / 1.05).count("faster") / TRIES >= 0.95


def test_modes_that_all_shift_are_found() -> None:
    assert verdicts(two_modes, 1.5).count("slower") / TRIES >= 0.95


def test_a_true_difference_below_the_least_is_seldom_called_one() -> None:
    def steady(random: Random) -> list[float]:
        return _scaled(1 + 0.002 * random.normal(size=LAUNCHES))

    assert verdicts(steady, 1.007).count(NONE) / TRIES >= 0.95


def test_a_hundred_equal_cases_are_all_without_a_difference_in_95_of_100_runs() -> None:
    """And of a hundred of which ten are slower by a tenth, the ten are found and hardly another."""
    random, clean, found, false = np.random.default_rng(5), 0, 0, 0
    runs, cases, slower = 40, 100, 10
    for _ in range(runs):
        sides = [[of_launches(normal(random), "") for _ in range(cases)] for _ in range(2)]
        shifted = [of_launches([1.1 * x for x in one.launches], "") for one in sides[1][:slower]]
        metric = BY_NAME["mean"]
        equal = [look(metric, a, b, LEAST) for a, b in zip(*sides, strict=True)]
        mixed = [look(metric, a, b, LEAST) for a, b in zip(sides[0], shifted, strict=False)]
        clean += all(one.verdict == NONE for one in together(equal))
        judged = together([*mixed, *equal[slower:]])
        found += sum(one.verdict == "slower" for one in judged[:slower])
        false += sum(one.differs for one in judged[slower:])
    assert clean / runs >= 0.95
    assert found / (runs * slower) >= 0.95
    assert false <= 0.05 * found

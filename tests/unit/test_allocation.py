"""Where the launches of a budget go: never to a finished case, never beyond the budget, to good use."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import fmean, median

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator import allocation
from orchestrator.allocation import MOST_LAUNCHES, Standing, choose, gain, need
from orchestrator.plan import WIDTH
from orchestrator.statistics.student import mean_interval

standings = st.lists(
    st.builds(
        Standing,
        st.text("abc", min_size=1, max_size=4),
        st.lists(st.floats(1e3, 1e9), max_size=12).map(tuple),
        st.none() | st.floats(0, 1),
        st.floats(0.1, 100),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.case_id,
)
widths = st.floats(0.001, 0.5)


def normal(lot: random.Random, cv: float) -> float:
    return 1e6 * math.exp(lot.gauss(0, cv))


def standing(*medians: float, half_width: float | None = None, cost_s: float = 1.0) -> Standing:
    return Standing("case", medians, half_width, cost_s)


@given(standings, widths, st.floats(0, 200), st.integers())
def test_a_launch_goes_to_a_case_that_needs_it_and_fits(
    found: list[Standing], width: float, left_s: float, seed: int
) -> None:
    choice = choose(found, width, left_s, random.Random(seed))
    assert (choice.case_id is None) != (choice.reason is None)
    for one in found:
        if one.case_id == choice.case_id:
            assert one.is_sound
            assert need(one, width) > 1
            assert one.cost_s <= left_s
            assert len(one.medians_ns) < MOST_LAUNCHES
    assert choose(found, width, left_s, random.Random(seed)) == choice


@given(standings, widths, st.floats(0, 200))
def test_why_there_is_no_more_launch(found: list[Standing], width: float, left_s: float) -> None:
    reason = choose(found, width, left_s, random.Random(0)).reason
    sound = [one for one in found if one.is_sound]
    wanting = [one for one in sound if need(one, width) > 1]
    assert (reason == allocation.FAILING) == (not sound)
    narrow = reason in (allocation.NARROW, allocation.SOUND_NARROW)
    assert narrow == (bool(sound) and not wanting)
    assert (reason == allocation.NARROW) == (narrow and len(sound) == len(found))
    assert (reason == allocation.SPENT) == (bool(wanting) and all(one.cost_s > left_s for one in wanting))


@settings(max_examples=30)
@given(standings, widths, st.floats(0, 100), st.integers(0, 99))
def test_it_ends_within_the_budget(found: list[Standing], width: float, budget_s: float, seed: int) -> None:
    lot, spent_s, state = random.Random(seed), 0.0, {one.case_id: one for one in found}
    for number in range(MOST_LAUNCHES * len(found) + 1):
        choice = choose(list(state.values()), width, budget_s - spent_s, random.Random(number))
        if choice.case_id is None:
            break
        one = state[choice.case_id]
        state[one.case_id] = replace(one, medians_ns=(*one.medians_ns, normal(lot, 0.1)))
        spent_s += one.cost_s
    else:
        pytest.fail("it does not end")
    assert spent_s <= budget_s


def test_a_case_at_its_cap_gets_no_more() -> None:
    lot = random.Random(0)
    capped = standing(*(normal(lot, 0.5) for _ in range(MOST_LAUNCHES)))
    assert choose([capped], WIDTH, 1e9, lot).reason == allocation.CAP
    other = replace(standing(1e6, 2e6, 3e6), case_id="other")
    assert choose([capped, other], WIDTH, 1e9, lot).case_id == "other"


@given(st.lists(st.floats(1e5, 2e5), min_size=2, max_size=30), widths)
def test_a_launch_more_is_worth_something_while_a_case_is_wide(medians: list[float], width: float) -> None:
    one = standing(*medians)
    assert gain(one, width) >= 0
    assume(need(one, width) > 1.001)
    assert gain(one, width) > 0


def test_the_wider_and_the_cheaper_case_goes_first() -> None:
    lot = random.Random(0)
    narrow = Standing("narrow", (1.00e6, 1.03e6, 0.97e6, 1.02e6, 0.98e6), None, 1.0)
    wide = Standing("wide", (1.0e6, 1.13e6, 0.87e6, 1.09e6, 0.91e6), None, 1.0)
    assert choose([narrow, wide], WIDTH, 100, lot).case_id == "wide"
    assert choose([narrow, replace(wide, cost_s=20.0)], WIDTH, 100, lot).case_id == "narrow"


def test_cases_that_are_worth_the_same_take_turns() -> None:
    one = standing(1.0e6, 1.13e6, 0.87e6, 1.09e6, 0.91e6)
    same = [replace(one, case_id=name) for name in "abc"]
    found = [choose(same, WIDTH, 100, random.Random(number)).case_id for number in range(300)]
    assert {name: 70 < found.count(name) < 130 for name in "abc"} == dict.fromkeys("abc", True)


def test_equal_launches_are_narrow_only_from_the_fifth_on() -> None:
    assert need(standing(*[1e6] * 4), WIDTH) > 1
    assert need(standing(*[1e6] * 5), WIDTH) == 1


def test_what_is_reported_must_be_narrow_too() -> None:
    assert need(standing(*[1e6] * 5, half_width=0.03), WIDTH) == pytest.approx(1.5)


def test_one_narrow_count_is_luck() -> None:
    """Here only the last launch makes the interval narrow."""
    medians = (1.0e6, 1.03e6, 0.97e6, 1.02e6, 0.99e6, 1.001e6, 1.0e6, 1.001e6, 1.0e6)
    reach = allocation._half_width(medians)
    assert allocation._half_width(medians[:-1]) > reach
    assert need(standing(*medians), reach) > 1


def test_of_speed_modes_the_shares_count_and_not_an_interval_around_their_mean() -> None:
    def moded(launches: int) -> Standing:
        return standing(*(1e6 * (1 + n % 2) for n in range(launches)))

    assert need(moded(10), WIDTH) > 1
    assert need(moded(60), WIDTH) <= 1
    assert 0 < gain(moded(10), WIDTH) < need(moded(10), WIDTH)


def test_stopping_when_it_is_narrow_keeps_the_interval_honest() -> None:
    """The 95 % interval of a case that got launches until it was narrow holds the truth in >= 93 %."""
    lot, held, tries = random.Random(6), 0, 1200
    for _ in range(tries):
        medians = tuple(lot.gauss(1e6, 0.02e6) for _ in range(5))
        while need(standing(*medians), WIDTH) > 1 and len(medians) < MOST_LAUNCHES:
            medians += (lot.gauss(1e6, 0.02e6),)
        low, high = mean_interval(medians)
        assert isinstance(low, float)
        held += low <= 1e6 <= float(high)
    assert 0.925 <= held / tries <= 0.97


CASES = [(cv, cost_s) for cv in (0.003, 0.01, 0.03, 0.06) for cost_s in (2.0, 5.0, 15.0)]


def spend(budget_s: float, seed: int, equally: bool) -> list[float]:
    """Relative half-widths at the end, of 12 cases that differ in scatter and in cost."""
    lot, left_s, number = random.Random(seed), budget_s, 0
    medians = [tuple(normal(lot, cv) for _ in range(5)) for cv, _ in CASES]
    while True:
        if equally:
            index = number % len(CASES)
        else:
            found = [Standing(f"{n:02}", medians[n], None, CASES[n][1]) for n in range(len(CASES))]
            index = int(choose(found, WIDTH, left_s, random.Random(number)).case_id or -1)
        if index < 0 or CASES[index][1] > left_s:
            return [allocation._half_width(one) for one in medians]
        medians[index] += (normal(lot, CASES[index][0]),)
        left_s, number = left_s - CASES[index][1], number + 1


def test_the_same_budget_narrows_more_than_equal_shares() -> None:
    shared = [spend(600.0, seed, equally=True) for seed in range(4)]
    chosen = [spend(600.0, seed, equally=False) for seed in range(4)]
    assert fmean(map(max, chosen)) < 0.75 * fmean(map(max, shared))
    assert max(map(median, chosen)) <= WIDTH
    assert sum(w <= WIDTH for one in chosen for w in one) > sum(w <= WIDTH for one in shared for w in one)

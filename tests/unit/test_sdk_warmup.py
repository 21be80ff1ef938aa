"""When a runner counts as warm."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import runners

sdk = runners.import_sdk()

values = st.integers(1000, 10**9)
windows = st.lists(values, min_size=2, max_size=30)


@given(windows)
def test_a_window_agrees_with_itself(window: list[int]) -> None:
    assert sdk.is_steady(window, window)


@given(windows, st.randoms(use_true_random=False))
def test_order_inside_a_window_does_not_matter(window: list[int], chance: random.Random) -> None:
    shuffled = chance.sample(window, len(window))
    assert sdk.is_steady(window, shuffled)
    assert sdk.is_steady(shuffled, window)


@given(windows)
def test_ten_percent_slower_quartiles_do_not_agree(window: list[int]) -> None:
    assert not sdk.is_steady([round(value * 1.1) for value in window], window)


@given(windows)
def test_a_shift_of_two_percent_agrees(window: list[int]) -> None:
    assert sdk.is_steady([value * 102 for value in window], [value * 100 for value in window])


def test_each_limit_alone_refuses() -> None:
    later = [100] * 10 + [110] * 10
    assert sdk.is_steady(later, later)
    spread = [90] * 4 + [100] * 6 + [110] * 6 + [120] * 4  # same quartiles, same mean, wider
    assert sdk.quartiles(spread)[::2] == sdk.quartiles(later)[::2]
    assert sdk.is_steady(spread, later)  # the MAD does not see the tails
    middling = [100] * 5 + [104] * 5 + [106] * 5 + [110] * 5
    assert not sdk.is_steady(middling, later)  # quartiles within 3 %, MAD 3 against 5
    peaked = [100] * 15 + [110] * 4 + [1000]
    assert not sdk.is_steady(peaked, [100] * 15 + [110] * 5)  # mean, more than 10 % above
    assert sdk.is_steady([100] * 15 + [110] * 5, peaked)  # mean, less than 50 % below


def test_no_spread_at_all_is_no_division_by_zero() -> None:
    assert sdk.is_steady([5] * 20, [5] * 20)
    assert sdk.is_steady([0] * 20, [0] * 20)
    assert not sdk.is_steady([5] * 19 + [900], [5] * 20)


@given(windows)
def test_quartiles_lie_in_order_within_the_window(window: list[int]) -> None:
    low, middle, high = sdk.quartiles(window)
    assert min(window) <= low <= middle <= high <= max(window)


def test_quartiles_interpolate() -> None:
    assert sdk.quartiles([4, 1, 3, 2]) == [1.75, 2.5, 3.25]


@pytest.mark.quiet
def test_warming_up_ends_when_two_windows_agree() -> None:
    durations = iter([10_000_000] * 3 + [1_000_000] * 100)

    def infer() -> None:
        end = sdk.now_ns() + next(durations)
        while sdk.now_ns() < end:
            pass

    ticks, steady = sdk.warm_up(infer, 2, 100, 10**10)
    assert steady
    assert 4 <= len(ticks) < 100
    assert sdk.is_steady(ticks[-4:-2], ticks[-2:])


def test_warming_up_ends_at_the_cap() -> None:
    growing = iter(range(1, 1000))

    def infer() -> None:
        end = sdk.now_ns() + 20_000 * next(growing)
        while sdk.now_ns() < end:
            pass

    ticks, steady = sdk.warm_up(infer, 5, 30, 10**10)
    assert (len(ticks), steady) == (30, False)


def test_warming_up_ends_when_its_time_is_spent() -> None:
    ticks, steady = sdk.warm_up(lambda: None, 10**6, 10**9, 5_000_000)
    assert not steady
    assert len(ticks) < 10**6


def test_no_warm_up_at_all_is_not_steady() -> None:
    assert sdk.warm_up(lambda: None, 20, 0, 10**10) == ([], False)

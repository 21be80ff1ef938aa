"""A counter's steps are added up: wraps, resets and counters that stand still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.counter import Total
from orchestrator.telemetry.reading import Unavailable

RANGE = 262143328850
S = 1_000_000_000


def reason(total, raw, t_ns):
    with pytest.raises(Unavailable) as problem:
        total.add(raw, t_ns)
    return problem.value.reason


@given(
    limit=st.integers(1, 2**63),
    data=st.data(),
)
def test_steps_smaller_than_the_range_come_back_whatever_the_wraps(limit, data):
    first = data.draw(st.integers(0, limit - 1))
    steps = data.draw(st.lists(st.integers(0, limit - 1), max_size=60))
    total, raw = Total(limit, still_ns=None), first
    before = total.add(raw, 0)
    assert before == 0
    for tick, step in enumerate(steps):
        raw = (raw + step) % limit
        after = total.add(raw, tick)
        assert after - before == step
        before = after
    assert before == sum(steps)


@pytest.mark.parametrize(
    "raws, totals",
    [
        ([RANGE - 5, RANGE, 0], [0, 5, 5]),  # 0 and the range are one point of the circle
        ([RANGE - 5, 0], [0, 5]),
        ([RANGE, 7], [0, 7]),
        ([10, 9], [0, RANGE - 1]),
        ([0, RANGE], [0, RANGE]),
        ([RANGE - 1, 1, RANGE - 1, 1], [0, 2, RANGE, RANGE + 2]),  # once a read, and again
    ],
)
def test_the_range_is_added_once_a_fall(raws, totals):
    total = Total(RANGE)
    assert [total.add(raw, tick) for tick, raw in enumerate(raws)] == totals


@pytest.mark.parametrize("raw", [-1, RANGE + 1, 2**64])
def test_what_is_outside_the_range_is_forgotten(raw):
    total = Total(RANGE)
    assert total.add(100, 0) == 0
    assert reason(total, raw, 1) == "out_of_range"
    assert total.add(150, 2) == 50


def test_an_impossible_first_value_is_no_start():
    total = Total(RANGE)
    assert reason(total, RANGE + 1, 0) == "out_of_range"
    assert total.add(100, 1) == 0


def test_a_counter_may_stand_still_for_so_long_and_no_longer():
    total = Total(RANGE, still_ns=S)
    assert [total.add(7, t_ns) for t_ns in (0, S // 2, S)] == [0, 0, 0]
    assert reason(total, 7, S + 1) == "stale"
    assert reason(total, 7, 60 * S) == "stale"
    assert total.add(9, 61 * S) == 2  # it was late, not wrong
    assert total.add(9, 62 * S) == 2
    assert reason(total, 9, 62 * S + 1) == "stale"


def test_some_counters_may_stand_still_for_ever():
    total = Total(RANGE, still_ns=None)
    assert [total.add(7, t_ns) for t_ns in (0, 3600 * S)] == [0, 0]


def test_a_counter_without_a_range_that_falls_was_reset_and_has_no_totals_any_more():
    total = Total()
    assert total.add(1000, 0) == 0
    assert reason(total, 10, 1) == "stale"
    assert reason(total, 2000, 2) == "stale"


def test_a_fall_that_no_machine_could_have_made_was_a_reset():
    # 262 kJ within a tenth of a second, at 5 kW the most
    total = Total(RANGE, most_per_s=5_000_000_000)
    assert total.add(1_000_000_000, 0) == 0
    assert reason(total, 5, S // 10) == "stale"
    assert reason(total, 1_000_000_010, S // 5) == "stale"


def test_a_wrap_at_a_possible_speed_is_none():
    total = Total(RANGE, most_per_s=5_000_000_000)
    assert total.add(RANGE - 10_000_000, 0) == 0
    assert total.add(10_000_000, S // 10) == 20_000_000
    assert total.add(9_000_000, 60 * S) == 20_000_000 + RANGE - 1_000_000


def test_two_reads_close_together_may_have_a_jump_between_them():
    # A counter moves every millisecond, so that 0.3 J appear within a microsecond at 300 W.
    total = Total(RANGE, most_per_s=5_000_000_000)
    assert total.add(RANGE - 100_000, 0) == 0
    assert total.add(200_000, 1000) == 300_000


@given(st.lists(st.integers(-(2**70), 2**70), max_size=40), st.sampled_from([None, 1, 1000, RANGE]))
def test_whatever_a_counter_says_its_total_never_falls(raws, limit):
    total, last = Total(limit, most_per_s=10**9), 0
    for tick, raw in enumerate(raws):
        try:
            value = total.add(raw, tick * S)
        except Unavailable as problem:
            assert problem.reason in ("out_of_range", "stale")
        else:
            assert value >= last
            last = value

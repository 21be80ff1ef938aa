"""Two conditions by turns: what is found is what was put in, whatever drifts beside it."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.statistics.turns import ROUND, Shift, blocks, shift

MS = 1_000_000
PAUSED = (False, True, True, False)


def trial(rounds, block_ns, base_ns, effect=0.0, drift=0.0, noise=0.0, seed=0, late_ns=0, start_ns=10**12):
    """Latencies of a window, with the edges of its blocks; the first block begins before the window."""
    draw = random.Random(seed)
    lead_ns = block_ns // 3
    edges = [(number, start_ns - lead_ns + number * block_ns) for number in range(rounds * ROUND + 6)]
    values, at_ns = [], start_ns
    end_ns = edges[-2][1]
    while at_ns < end_ns:
        number = (at_ns - edges[0][1]) // block_ns
        value = base_ns * (1 + drift * (at_ns - start_ns) / (end_ns - start_ns))
        value *= 1 + (0 if PAUSED[number % ROUND] else effect)
        values.append(max(1, round(value * (1 + draw.gauss(0, noise)))))
        at_ns += values[-1] + late_ns
    return values, (start_ns, at_ns), edges


@pytest.mark.parametrize("effect", [0.0, 0.02, -0.02])
@pytest.mark.parametrize("drift", [0.0, 0.1, -0.1])
def test_an_effect_is_found_whatever_drifts(effect, drift):
    found = shift(blocks(*trial(6, 200 * MS, 2 * MS, effect, drift, noise=0.01)))
    assert isinstance(found, Shift)
    assert found.rounds == 6
    assert found.shift == pytest.approx(effect, abs=0.004)
    assert found.low <= found.shift <= found.high


def test_the_interval_holds_the_truth_as_often_as_it_says():
    held = 0
    for seed in range(300):
        found = shift(blocks(*trial(5, 40 * MS, MS, 0.01, 0.05, noise=0.03, seed=seed)))
        held += found.low <= 0.01 <= found.high
    assert 0.92 * 300 <= held <= 0.98 * 300


def test_time_between_inferences_moves_no_latency_into_another_block():
    values, window, edges = trial(5, 100 * MS, MS, 0.5, late_ns=MS // 2)
    for number, block in enumerate(blocks(values, window, edges)):
        assert {value > 1.2 * MS for value in block} == {not PAUSED[number % ROUND]}


def test_too_few_rounds_and_too_long_inferences_have_a_reason():
    assert "rounds in the window" in shift(blocks(*trial(1, 200 * MS, MS)))
    assert "too long" in shift([[1, 2]] * 11 + [[]])


def test_a_block_that_was_not_announced_ends_what_can_be_used():
    values, window, edges = trial(6, 100 * MS, MS)
    whole = blocks(values, window, edges)
    assert blocks(values, window, [edge for edge in edges if edge[0] != 14]) == whole[: 14 - 4 - 1]


@given(
    st.lists(st.integers(1, 10**8), min_size=1, max_size=200),
    st.lists(st.integers(0, 10**10), max_size=30),
    st.integers(0, 10**9),
)
def test_anything_gives_blocks_of_given_latencies(values, times, rest_ns):
    window = (10**9, 10**9 + sum(values) + rest_ns)
    found = blocks(values, window, list(enumerate(sorted(times))))
    flat = [value for block in found for value in block]
    left = iter(values)
    assert all(value in left for value in flat)  # in their order, none twice
    outcome = shift(found)
    assert isinstance(outcome, str) or math.isfinite(outcome.shift)

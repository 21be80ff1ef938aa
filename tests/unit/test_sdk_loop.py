"""The SDK's timed loop: what it costs, when it ends, what it keeps."""

from __future__ import annotations

import gc
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import runners

sdk = runners.import_sdk()


class Clock:
    """Time passes only in ``infer`` and by ``read_cost`` at each reading."""

    def __init__(self, durations: list[int], read_cost: int = 0):
        self.now, self.read_cost, self.durations, self.calls = 0, read_cost, durations, 0

    def read(self) -> int:
        self.now += self.read_cost
        return self.now

    def infer(self) -> None:
        self.now += self.durations[self.calls % len(self.durations)]
        self.calls += 1


@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=20),
    st.integers(0, 20_000),
    st.integers(1, 60),
    st.integers(1, 80),
)
def test_it_ends_at_the_first_inference_that_meets_both_minima(
    durations: list[int], min_ns: int, min_count: int, max_count: int
) -> None:
    clock = Clock(durations)
    values = sdk.allocate(max_count)
    count = sdk.timed_loop(clock.infer, values, min_ns, min_count, max_count, clock.read)
    wanted, passed = 0, 0
    while wanted < max_count and (wanted < min_count or passed < min_ns):
        passed += durations[wanted % len(durations)]
        wanted += 1
    assert count == clock.calls == wanted
    assert list(values[:count]) == [durations[i % len(durations)] for i in range(count)]


def test_only_the_inference_is_inside_the_two_readings() -> None:
    clock = Clock([100], read_cost=7)
    values = sdk.allocate(5)
    sdk.timed_loop(clock.infer, values, 0, 5, 5, clock.read)
    assert list(values) == [107] * 5


@pytest.mark.quiet
def test_a_null_inference_costs_what_a_harness_may() -> None:
    # The least disturbed of a few rounds: the limits are the instrument's, not the machine's neighbours'.
    count, inside, whole = 20_000, [], []
    values = sdk.allocate(count, count)
    gc.disable()
    try:
        for _ in range(7):
            begin = sdk.now_ns()
            sdk.timed_loop(lambda: None, values, 0, count, count)
            whole.append((sdk.now_ns() - begin) / count)
            inside.append(median(sdk.in_ns(values)))
    finally:
        gc.enable()
    assert 0 < min(inside) <= 500
    assert min(inside) < min(whole) <= 1500


def test_room_for_the_maximum_takes_no_memory_until_it_is_used() -> None:
    before = sdk.vm_hwm_bytes()
    values = sdk.allocate(10**8, 1000)
    assert len(values) == 10**8
    assert values[0] == values[10**8 - 1] == 0
    assert sdk.vm_hwm_bytes() - before < 50_000_000


@pytest.mark.parametrize("count", [1, 4095, 4096, 4097, 10_000])
def test_latencies_go_out_in_contiguous_chunks(count: int, tmp_path: Path) -> None:
    measure = {"min_duration_ns": 0, "min_iterations": count, "max_iterations": count}
    line = {**runners.scripted(tmp_path, latency_ns="0"), "measure": measure, "outputs": False}
    ended = runners.launch(runners.FAKE, line)
    start = 0
    for chunk in [message for message in ended.all("latencies") if message["phase"] == "measure"]:
        assert chunk["start"] == start
        assert 1 <= len(chunk["values_ns"]) <= 4096
        start += len(chunk["values_ns"])
    assert ended.one("done")["iterations"] == start == count


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 60))
def test_the_maximum_wins_over_the_minima(min_count: int, max_count: int, duration: int) -> None:
    clock = Clock([duration])
    count = sdk.timed_loop(clock.infer, sdk.allocate(max_count), 10**9, min_count, max_count, clock.read)
    assert count == max_count

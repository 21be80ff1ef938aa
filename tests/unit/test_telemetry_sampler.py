"""The loop keeps absolute deadlines, counts those it could not keep, and rests where it is told to."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.sampler import PAUSES, WIDTHS, Blocks, Sampler, Task
from tests.support.samplers import SECOND, START, Reader, Sleeper, World, ignore, sampler_of


def run(world, alive=lambda: True):
    task = Task("one", world, SECOND)
    return task, sampler_of(world, [task]).run(alive, world.wait)


def test_deadlines_do_not_drift_with_the_cost_of_reading():
    world = World([300_000_000, 1, 999_999_999, 7], stop_after=4)
    task, cause = run(world)
    assert [t - START for t in world.ticks_ns[:4]] == [0, SECOND, 2 * SECOND, 3 * SECOND]
    assert (cause, task.missed) == ("eof", 0)


def test_deadlines_that_passed_are_counted_and_not_made_up_for():
    world = World([2_500_000_000, 0], stop_after=2)
    task, _ = run(world)
    assert [t - START for t in world.ticks_ns[:2]] == [0, 3 * SECOND]
    assert task.missed == 2


def test_a_last_tick_follows_the_cause_to_stop():
    world = World(stop_after=1)
    task, cause = run(world)
    assert (task.ticks, cause) == (2, "eof")


@pytest.mark.parametrize("lives, ticks", [(0, 0), (1, 1), (3, 3)])
def test_it_ends_when_the_process_has_gone(lives, ticks):
    left = iter([True] * lives + [False])
    task, cause = run(World(), lambda: next(left))
    assert (task.ticks, cause) == (ticks, "gone")


def test_every_source_keeps_its_own_interval():
    world = World(stop_after=31)
    often, seldom = Reader(world), Reader(world)
    tasks = [Task("seldom", seldom, SECOND), Task("often", often, SECOND // 10)]
    sampler_of(world, tasks).run(lambda: True, world.wait)
    assert often.ticks_ns[:30] == [k * SECOND // 10 for k in range(30)]
    assert seldom.ticks_ns[:3] == [0, SECOND, 2 * SECOND]


def test_what_comes_often_is_read_before_what_may_wait():
    world = World(stop_after=1)
    order = []
    tasks = [Task(name, Reader(world), ns) for name, ns in (("slow", SECOND), ("quick", SECOND // 10))]
    Sampler(tasks, lambda taken: order.extend(task.name for task, _ in taken), ignore, world.now, SECOND).run(
        lambda: True, world.wait
    )
    assert order[:2] == ["quick", "slow"]


@given(
    costs=st.lists(st.integers(0, 5 * SECOND), max_size=20),
    interval_ns=st.integers(1_000_000, 2 * SECOND),
)
def test_every_deadline_is_kept_or_missed(costs, interval_ns):
    world = World(stop_after=len(costs) + 3)
    task = Task("one", world, interval_ns)
    world.costs_ns = costs
    sampler_of(world, [task]).run(lambda: True, world.wait)
    assert (task.due_ns - START) % interval_ns == 0
    kept = {(t - START) // interval_ns for t in world.ticks_ns[: task.ticks - 1]}
    assert len(kept) == task.ticks - 1  # the last tick is out of turn


def test_by_turns_it_reads_and_rests_in_an_order_that_cancels_drift():
    world = World(stop_after=60)
    reader, told = Reader(world), []
    tasks = [Task("one", reader, SECOND // 10)]
    sampler_of(world, tasks, block_ns=SECOND // 2, tell=told.append).run(lambda: True, world.wait)
    blocks = Blocks(0, SECOND // 2)
    assert reader.ticks_ns
    assert not any(blocks.paused(t) for t in reader.ticks_ns[:-1])
    assert [line["paused"] for line in told][:8] == list(PAUSES) * 2
    assert [line["t_ns"] - START for line in told][:4] == [0, SECOND // 2, SECOND, 3 * SECOND // 2]
    assert tasks[0].missed == 0  # to rest is not to miss
    # Equal time on both sides, and the same mean position in time: a steady drift cancels.
    positions = [index for index, paused in enumerate(PAUSES) if paused]
    assert sum(positions) * 2 == sum(range(len(PAUSES)))
    assert len(positions) * 2 == len(PAUSES)


def test_a_slow_source_has_a_thread_of_its_own_and_holds_up_nobody():
    world = World()
    quick, sleeper = Reader(world), Sleeper(0.3)
    tasks = [Task("quick", quick, SECOND // 100), Task("sleeper", sleeper, SECOND // 2)]
    until = time.monotonic() + 1.0

    def wait(seconds):
        time.sleep(min(seconds, 0.01))
        return None if time.monotonic() < until else "eof"

    Sampler(tasks, ignore, ignore, time.monotonic_ns, SECOND).run(lambda: True, wait)
    assert sleeper.count >= 1
    assert tasks[0].ticks > 3 * tasks[1].ticks
    assert threading.current_thread() not in sleeper.threads


def test_a_source_that_fills_its_interval_is_read_more_seldom():
    clock = [0]
    task = Task("wide", Sleeper(0), SECOND)

    def now():
        clock[0] += SECOND * 6 // 10
        return clock[0]

    for _ in range(WIDTHS - 1):
        task.take(now)
        assert not task.back_off()
    task.take(now)
    assert task.back_off()
    assert task.interval_ns == 2 * SECOND
    for _ in range(WIDTHS):
        task.take(now)
    assert not task.back_off()  # 0.6 s of 2 s


class Scattered(Reader):
    scatter = True


def test_sampled_power_is_read_around_its_grid_and_not_on_it():
    world = World(stop_after=2000)
    source = Scattered(world)
    sampler_of(world, [Task("power", source, SECOND // 10)]).run(lambda: True, world.wait)
    phases = [t / (SECOND / 10) % 1 for t in source.ticks_ns[1:-1]]
    # An inference of a tenth of a second is seen at every moment of its course about as often.
    for part in range(10):
        share = sum(part / 10 <= phase < (part + 1) / 10 for phase in phases) / len(phases)
        assert 0.06 <= share <= 0.14
    # Still one reading an interval.
    assert abs(len(source.ticks_ns) - world.now_ns / (SECOND / 10) + START / (SECOND / 10)) <= 2


def test_it_says_how_late_it_was():
    world = World([0, 200_000_000, 0, 0], stop_after=4)
    first, second = Task("first", world, SECOND), Task("second", Reader(world), SECOND)
    sampler_of(world, [first, second]).run(lambda: True, world.wait)
    assert Task("new", world, SECOND).late_p99_ns() is None
    assert first.late_p99_ns() < 10
    assert second.late_p99_ns() >= 200_000_000

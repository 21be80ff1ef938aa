"""The loop keeps absolute deadlines, counts those it could not keep, and rests where it is told to."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.reading import REASONS, Channel, Reading
from orchestrator.telemetry.sampler import HOLD_NS, LASTING, PAUSES, WIDTHS, Blocks, Sampler, Task

SECOND = 1_000_000_000
START = 5 * SECOND


class World:
    """A clock that only moves when something takes time, with one fast source."""

    def __init__(self, costs_ns=(), stop_after=None):
        self.now_ns, self.costs_ns = START, list(costs_ns)
        self.ticks_ns, self.waits_s, self.stop_after = [], [], stop_after

    def now(self):
        return self.now_ns

    def read(self):
        self.ticks_ns.append(self.now_ns)
        self.now_ns += self.costs_ns.pop(0) if self.costs_ns else 0
        return []

    def wait(self, seconds):
        assert seconds >= 0
        self.waits_s.append(seconds)
        self.now_ns += max(1, round(seconds * 1e9))
        return "eof" if self.stop_after is not None and len(self.waits_s) >= self.stop_after else None


class Reader:
    """A source that only remembers when it was read."""

    def __init__(self, world, cost_ns=0):
        self.world, self.cost_ns, self.ticks_ns = world, cost_ns, []

    def read(self):
        self.ticks_ns.append(self.world.now_ns - START)
        self.world.now_ns += self.cost_ns
        return []


def ignore(*_):
    pass


def sampler_of(world, tasks, **options):
    return Sampler(tasks, ignore, options.pop("tell", ignore), world.now, SECOND, **options)


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


class Sleeper:
    """A slow source on the real clock."""

    slow = True

    def __init__(self, seconds):
        self.seconds, self.threads, self.count = seconds, set(), 0

    def read(self):
        self.threads.add(threading.current_thread())
        self.count += 1
        time.sleep(self.seconds)
        return []


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


class Absent(Reader):
    """A source that has nothing to tell before a time."""

    scatter = True
    channel = Channel("power", "host", "sampled", "w")

    def __init__(self, world, reason, until_ns):
        super().__init__(world)
        self.reason, self.until_ns = reason, until_ns

    def read(self):
        super().read()
        there = self.world.now_ns - START >= self.until_ns
        return [Reading(self.channel, 1.0 if there else None, None if there else self.reason, 1, 2)]


def test_what_is_not_there_is_asked_once_a_second_with_the_others():
    for reason in REASONS:
        world = World(stop_after=200)
        source = Absent(world, reason, 3 * SECOND)
        tasks = [Task("power", source, SECOND // 10), Task("other", Reader(world), SECOND)]
        sampler_of(world, tasks).run(lambda: True, world.wait)
        early = [t for t in source.ticks_ns if t < 3 * SECOND]
        assert (early == [0, SECOND, 2 * SECOND]) == (reason in LASTING)
        assert len([t for t in source.ticks_ns if 4 * SECOND <= t < 8 * SECOND]) in range(38, 43)
        assert tasks[0].missed == 0


def test_what_is_not_there_and_is_asked_seldom_stays_so():
    world = World(stop_after=10)
    source = Absent(world, "no_sensor", 10**6 * SECOND)
    sampler_of(world, [Task("power", source, 5 * SECOND)]).run(lambda: True, world.wait)
    assert source.ticks_ns[:2] == [0, 5 * SECOND]


@pytest.mark.parametrize(
    "interval_ns, most_ns", [(SECOND, HOLD_NS), (60 * SECOND, HOLD_NS), (SECOND // 5, SECOND // 5)]
)
def test_what_was_read_is_written_within_a_second_and_the_interval(interval_ns, most_ns):
    world, written = World(stop_after=700), []
    source = Reader(world)
    tasks = [Task("quick", source, SECOND // 10), Task("seldom", Reader(world), interval_ns)]

    def write(taken):
        written.append((world.now_ns - START, [task.name for task, _ in taken]))

    Sampler(tasks, write, ignore, world.now, interval_ns).run(lambda: True, world.wait)
    count = 0
    for at_ns, names in written:
        for _ in range(names.count("quick")):
            assert at_ns - source.ticks_ns[count] <= most_ns
            count += 1
    assert count == len(source.ticks_ns)
    assert len(written) < count / 1.5
    assert written[-1][0] == source.ticks_ns[-1]


def test_what_is_read_seldom_is_written_at_once():
    world, written = World(stop_after=5), []
    source = Reader(world)
    Sampler(
        [Task("one", source, 60 * SECOND)],
        lambda _: written.append(world.now_ns - START),
        ignore,
        world.now,
        SECOND,
    ).run(lambda: True, world.wait)
    assert written == source.ticks_ns


def test_what_is_held_when_the_process_goes_is_written():
    world, written = World(), []
    left = iter([True, True, False])
    Sampler([Task("one", Reader(world), SECOND // 10)], written.extend, ignore, world.now, SECOND).run(
        lambda: next(left), world.wait
    )
    assert len(written) == 20


def test_a_slow_sources_reader_that_has_gone_ends_it_all():
    def write(_taken):
        raise BrokenPipeError

    sampler = Sampler(
        [Task("slow", Sleeper(0), SECOND // 100)], write, ignore, time.monotonic_ns, SECOND // 10
    )
    until = time.monotonic() + 10

    def wait(seconds):
        time.sleep(min(seconds, 0.01))
        return None if time.monotonic() < until else "eof"

    with pytest.raises(BrokenPipeError):
        sampler.run(lambda: True, wait)


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

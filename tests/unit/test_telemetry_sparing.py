"""The loop wakes up and writes no more than it must."""

import time

import pytest

from orchestrator.telemetry.reading import REASONS, Channel, Reading
from orchestrator.telemetry.sampler import HOLD_NS, LASTING, Sampler, Task
from tests.support.samplers import SECOND, START, Reader, Sleeper, World, ignore, sampler_of


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

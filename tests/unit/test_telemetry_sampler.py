"""The loop keeps absolute deadlines and counts those it could not keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.sampler import Sampler

SECOND = 1_000_000_000


class World:
    """A clock that only moves when something takes time."""

    def __init__(self, costs_ns=(), stop_after=None):
        self.now_ns, self.costs_ns = 5 * SECOND, list(costs_ns)
        self.ticks_ns, self.waits_s, self.stop_after = [], [], stop_after

    def read(self):
        self.ticks_ns.append(self.now_ns)
        self.now_ns += self.costs_ns.pop(0) if self.costs_ns else 0
        return []

    def wait(self, seconds):
        assert seconds > 0
        self.waits_s.append(seconds)
        self.now_ns += round(seconds * 1e9)
        return "eof" if self.stop_after is not None and len(self.waits_s) >= self.stop_after else None


def run(world, alive=lambda: True):
    sampler = Sampler([world.read], lambda readings: None, lambda: world.now_ns, SECOND)
    return sampler, sampler.run(alive, world.wait)


def test_deadlines_do_not_drift_with_the_cost_of_reading():
    world = World([300_000_000, 1, 999_999_999, 7], stop_after=4)
    sampler, cause = run(world)
    assert [t - 5 * SECOND for t in world.ticks_ns[:4]] == [0, SECOND, 2 * SECOND, 3 * SECOND]
    assert (cause, sampler.missed) == ("eof", 0)


def test_deadlines_that_passed_are_counted_and_not_made_up_for():
    world = World([2_500_000_000, 0], stop_after=2)
    sampler, _ = run(world)
    assert [t - 5 * SECOND for t in world.ticks_ns[:2]] == [0, 3 * SECOND]
    assert sampler.missed == 2


def test_a_last_tick_follows_the_cause_to_stop():
    world = World(stop_after=1)
    sampler, cause = run(world)
    assert (sampler.ticks, cause) == (2, "eof")


@pytest.mark.parametrize("lives, ticks", [(0, 0), (1, 1), (3, 3)])
def test_it_ends_when_the_process_has_gone(lives, ticks):
    left = iter([True] * lives + [False])
    sampler, cause = run(World(), lambda: next(left))
    assert (sampler.ticks, cause) == (ticks, "gone")


def test_no_last_tick_for_a_process_that_has_gone():
    left = iter([True, False])
    sampler, cause = run(World(stop_after=1), lambda: next(left))
    assert (sampler.ticks, cause) == (1, "eof")


@given(st.lists(st.integers(0, 5 * SECOND), min_size=1, max_size=30))
def test_every_tick_lies_on_a_deadline_and_every_deadline_is_kept_or_missed(costs_ns):
    world = World(costs_ns, stop_after=len(costs_ns))
    sampler, _ = run(world)
    ticks = [t - 5 * SECOND for t in world.ticks_ns]
    # One ns of slack: a wait in float seconds cannot say more.
    assert all(min(t % SECOND, -t % SECOND) <= 1 for t in ticks)
    assert round(ticks[-1] / SECOND) == len(costs_ns) + sampler.missed

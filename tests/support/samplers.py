"""A world for telemetry's loop: a clock that only moves when something takes time, and its sources."""

import threading
import time

from orchestrator.telemetry.sampler import Sampler

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


def ignore(*_):
    pass


def sampler_of(world, tasks, **options):
    return Sampler(tasks, ignore, options.pop("tell", ignore), world.now, SECOND, **options)

"""Telemetry of quiet machines under load, and what can be done to them.

What varies with the seed: the window's length (1 to 30 s), where its bounds lie between two readings, noise
of the clock (turbo wobble: normal, 4 % of the level), low readings of cores that only just woke (3 %, and
the first ones of a window), readings that are missing (5 %), other programs (0 to 4 % of a core), stolen
time (0 to 0.5 %), the ticks of 10 ms that counters move in, and bits and counts left from before.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.heat import SECOND, Line, reading

START_NS, BEFORE_S, AFTER_S = 100 * SECOND, 8, 3
TICK_NS = 10_000_000
MISSING = 0.05
Clock = Callable[[random.Random, float], dict[str, float | str]]  # seconds into the window -> Hz or words


@dataclass(frozen=True)
class Kind:
    """A sort of machine; ``busy`` cores of ``cores`` are kept busy by the runner."""

    clock: Clock
    busy: float
    cores: int
    accelerator: str = "cpu"
    boosts: bool = False
    is_judged: bool = True  # a drop of its clock can be told from a lack of demand
    is_promised: bool = False  # whatever the window begins with

    @property
    def arguments(self) -> dict[str, Any]:
        return {"accelerator": self.accelerator, "cores": self.cores, "boosts": self.boosts}


@dataclass(frozen=True)
class Fault:
    """What happens to a machine; times are seconds into the window."""

    clock: Callable[[float], float] = lambda at_s: 1.0  # what its real clocks are multiplied with
    bits: Callable[[float, int], int] = lambda at_s, bits: bits  # of vcgencmd
    gpu: Callable[[float, int], int] = lambda at_s, bits: bits  # of nvml
    count: Callable[[float], int] = lambda at_s: 0  # events that a counter adds
    others: float = 0.0  # cores used by other programs
    steal: float = 0.0


def policy(number: int, hz: float, low: float, high: float, governor: str) -> dict[str, float | str]:
    stem = f"cpufreq.policy{number}"
    return {f"{stem}.current": hz, f"{stem}.min": low, f"{stem}.max": high, f"{stem}.governor": governor}


def _wobble(rng: random.Random, level: float, share: float = 0.04) -> float:
    return float(round(level * rng.gauss(1, share) / 1000) * 1000)


def _woken(rng: random.Random, at_s: float, hz: float, low: float) -> float:
    return low if 0 <= at_s < 0.5 or rng.random() < 0.03 else hz


def locked(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return policy(0, 1_479_000_000, 1_479_000_000, 1_479_000_000, "schedutil")


def performance(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return policy(0, 1.8e9, 6e8, 1.8e9, "performance") | policy(4, 2.4e9, 6e8, 2.4e9, "performance")


def turbo(governor: str) -> Clock:
    """Four cores with a clock each, two of them busy; idle ones say anything."""

    def clock(rng: random.Random, at_s: float) -> dict[str, float | str]:
        found: dict[str, float | str] = {}
        for number in range(4):
            hz = _wobble(rng, 4.2e9) if number < 2 and at_s >= 0 else rng.uniform(0.8e9, 4.8e9)
            found |= policy(number, hz, 0.8e9, 4.8e9, governor)
        return found

    return clock


def migrating(rng: random.Random, at_s: float) -> dict[str, float | str]:
    """One thread on two cores; the other one sleeps."""
    where = rng.randrange(2)
    clocks = [_wobble(rng, 4.6e9), 0.8e9]
    return policy(where, clocks[0], 8e8, 4.8e9, "powersave") | policy(
        1 - where, clocks[1], 8e8, 4.8e9, "powersave"
    )


def ondemand(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return policy(0, _woken(rng, at_s, 1.8e9, 6e8), 6e8, 1.8e9, "ondemand")


def conservative(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return policy(0, min(1.8e9, 6e8 + 3e8 * max(0.0, at_s)), 6e8, 1.8e9, "conservative")


def half_idle(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return policy(0, rng.choice([6e8, 9e8, 1.2e9, 1.5e9, 1.8e9]), 6e8, 1.8e9, "schedutil")


def slow_by_choice(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return policy(0, 6e8, 6e8, 1.8e9, "powersave")


def firmware(rng: random.Random, at_s: float) -> dict[str, float | str]:
    """cpufreq says what was asked for, which is of no matter."""
    real = _woken(rng, at_s, rng.gauss(2.4e9, 1e6), 1.5e9)
    return policy(0, rng.choice([1.5e9, 2.4e9]), 1.5e9, 2.4e9, "ondemand") | {"vcgencmd.clock_arm": real}


def gpu_boost(rng: random.Random, at_s: float) -> dict[str, float | str]:
    """A graphics board at its power cap; the processor waits for it, a second board idles."""
    second = {"nvml.1.clock_sm": rng.choice([2.1e8, 1.4e9])}
    return (
        half_idle(rng, at_s) | second | {"nvml.0.clock_sm": _wobble(rng, 1.7e9, 0.03) if at_s > -1 else 2.1e8}
    )


def gpu_scaling(rng: random.Random, at_s: float) -> dict[str, float | str]:
    hz = rng.choice([3.06e8, 5.1e8, 9.18e8])
    gpu = {"devfreq.gpu.current": hz, "devfreq.gpu.min": 3.06e8, "devfreq.gpu.max": 9.18e8}
    return half_idle(rng, at_s) | gpu


def gpu_locked(rng: random.Random, at_s: float) -> dict[str, float | str]:
    return half_idle(rng, at_s) | {f"devfreq.gpu.{end}": 9.18e8 for end in ("current", "min", "max")}


KINDS = {
    "locked": Kind(locked, 3.1, 4, is_promised=True),
    "performance": Kind(performance, 3.0, 4, is_promised=True),
    "performance with turbo": Kind(turbo("performance"), 1.95, 4, boosts=True),
    "powersave with turbo": Kind(turbo("powersave"), 1.95, 4, boosts=True),
    "one thread on two cores": Kind(migrating, 0.98, 2, boosts=True),
    "ondemand": Kind(ondemand, 3.8, 4),
    "conservative": Kind(conservative, 3.8, 4),
    "half idle": Kind(half_idle, 1.2, 4, is_judged=False),
    "slow by choice": Kind(slow_by_choice, 3.9, 4),
    "firmware": Kind(firmware, 3.9, 4),
    "GPU with boost": Kind(gpu_boost, 0.6, 1, "cuda"),
    "GPU that scales": Kind(gpu_scaling, 0.6, 1, "cuda", is_judged=False),
    "GPU that is locked": Kind(gpu_locked, 0.6, 1, "cuda", is_promised=True),
    "idle GPU": Kind(lambda rng, at_s: gpu_scaling(rng, at_s) | locked(rng, at_s), 3.9, 4, is_promised=True),
}


def simulate(
    kind: Kind, seed: int, fault: Fault = Fault(), least_s: float = 1.0
) -> tuple[list[Line], tuple[int, int]]:
    """The lines of a trial and its window."""
    rng = random.Random(seed)
    length_s = rng.choice([least_s, max(least_s, 5.0), rng.uniform(least_s, 30.0)])
    interval_s = rng.choice([0.5, 1.0])
    end_ns = START_NS + round(length_s * SECOND)
    return list(_lines(kind, fault, rng, end_ns, interval_s)), (START_NS, end_ns)


def _lines(kind: Kind, fault: Fault, rng: random.Random, end_ns: int, interval_s: float) -> Iterator[Line]:
    began_ns = START_NS - BEFORE_S * SECOND + rng.randrange(SECOND)
    others, stolen = rng.uniform(0, 0.04), rng.uniform(0, 0.005)
    kept, counts = rng.choice([0, 0x50000, 0xF0000]), rng.randrange(1000)
    yield {"type": "clock", "t_ns": began_ns, "interval_ns": round(interval_s * SECOND)}
    used = {"host.cpu_busy": 4e12, "host.cpu_steal": 1e9, "process.cpu_time": 0.0}
    before_ns = at_ns = began_ns
    while at_ns < end_ns + AFTER_S * SECOND:
        at_s, passed_ns = (at_ns - START_NS) / SECOND, at_ns - before_ns
        working_ns = max(0, min(at_ns, end_ns) - max(before_ns, START_NS)) * kind.busy + passed_ns * 0.01
        used["process.cpu_time"] += working_ns
        used["host.cpu_busy"] += working_ns + (others + fault.others) * passed_ns
        used["host.cpu_steal"] += (stolen + fault.steal) * passed_ns
        values: dict[str, tuple[Any, str]] = {
            name: (int(value) // TICK_NS * TICK_NS, "ns") for name, value in used.items()
        }
        real = fault.clock(at_s)
        for name, value in kind.clock(rng, at_s).items():
            is_setting = name.endswith((".min", ".max")) or isinstance(value, str)
            values[name] = (value if is_setting else value * real, "text" if isinstance(value, str) else "hz")
        now_bits = fault.bits(at_s, 0)
        kept |= now_bits & 0xF0000 | (now_bits & 0xF) << 16
        values["vcgencmd.throttled"] = (now_bits | kept, "bits")
        values["nvml.0.throttle"] = (fault.gpu(at_s, rng.choice([0, 4]) if at_s > -1 else 1), "bits")
        values["nvml.1.throttle"] = (rng.choice([1, 0x41]), "bits")
        values["throttle.package_0"] = values["soctherm.oc2"] = (counts + fault.count(at_s), "count")
        for number, (name, (value, unit)) in enumerate(values.items()):
            held = None if rng.random() < MISSING else value
            yield reading(name, held, unit, at_ns + number * 50_000)
        before_ns, at_ns = at_ns, at_ns + round(interval_s * SECOND) + rng.randrange(2_000_000)
    yield {"type": "end", "t_ns": at_ns, "cpu_ns": 30_000_000, "startup_cpu_ns": 25_000_000}

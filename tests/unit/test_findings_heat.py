"""Throttling, lost clocks and neighbours are found in every window that has them, and in quiet ones not."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.domain import Severity
from orchestrator.findings import heat_findings
from tests.support.heat import SECOND, Line, reading
from tests.support.quiet import KINDS, START_NS, Fault, Kind, policy, simulate

RUNS, INJECTIONS = 200, 40
ALLOWED = RUNS * 5 // 100


QUIET = Fault()


def codes(kind: Kind, seed: int, fault: Fault = QUIET, least_s: float = 1.0) -> dict[str, str]:
    lines, window = simulate(kind, seed, fault, least_s)
    return {finding.code: finding.message for finding in heat_findings(lines, window, **kind.arguments)}


@pytest.mark.parametrize("name", KINDS)
def test_a_quiet_machine_raises_no_alarm(name: str) -> None:
    alarms = [found for seed in range(RUNS) if (found := codes(KINDS[name], seed))]
    assert len(alarms) <= ALLOWED, alarms


def drop(seed: int) -> Fault:
    """A lasting one to 40 to 70 %, in a window of ten seconds or more, after four or five of them."""
    draw = random.Random(-seed - 1)
    begins_s, level = draw.uniform(4.0, 5.0), draw.uniform(0.4, 0.7)
    return Fault(clock=lambda at_s: level if at_s >= begins_s else 1.0)


def toggling(seed: int) -> Fault:
    """Heat that comes and goes: four seconds of six are slow."""
    return Fault(clock=lambda at_s: 0.6 if at_s > 4 and at_s % 6 > 2 else 1.0)


def slow_decline(seed: int) -> Fault:
    """A board that heats up: a twentieth less every second, down to 60 %."""
    return Fault(clock=lambda at_s: 1.0 - 0.05 * min(8.0, max(0.0, at_s - 3.0)))


JUDGED = [name for name, kind in KINDS.items() if kind.is_judged]


@pytest.mark.parametrize("fault", [drop, toggling, slow_decline])
@pytest.mark.parametrize("name", [name for name in JUDGED if name != "conservative"])
def test_every_lasting_drop_of_a_clock_is_found(name: str, fault: Callable[[int], Fault]) -> None:
    for seed in range(INJECTIONS):
        lines, window = simulate(KINDS[name], seed, fault(seed), least_s=10.0 if fault is drop else 20.0)
        found = heat_findings(lines, window, **KINDS[name].arguments)
        assert [finding.code for finding in found] == ["clock_drop"], seed
        assert found[0].severity is Severity.INVALID


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.is_promised])
def test_a_promised_clock_that_is_never_reached_is_found(name: str) -> None:
    for seed in range(INJECTIONS):
        assert "clock_drop" in codes(KINDS[name], seed, Fault(clock=lambda at_s: 0.9), least_s=5.0)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.is_judged])
def test_a_clock_that_may_follow_demand_is_not_judged(name: str) -> None:
    found = [codes(KINDS[name], seed, Fault(clock=lambda at_s: 1.0), 10.0) for seed in range(INJECTIONS)]
    assert not any("clock_drop" in one for one in found)


def during(bit: int) -> Callable[[float, int], int]:
    """The bit is live for two seconds of the window."""
    return lambda at_s, bits: bits | (bit if 1.0 <= at_s <= 3.5 else 0)


@pytest.mark.parametrize(
    ("bit", "code", "word"),
    [
        (0x1, "under_voltage", "under-voltage"),
        (0x2, "throttled", "frequency capped"),
        (0x4, "throttled", "throttled"),
        (0x8, "throttled", "soft temperature limit"),
    ],
)
def test_every_live_bit_of_the_firmware_is_found(bit: int, code: str, word: str) -> None:
    for seed in range(INJECTIONS):
        found = codes(KINDS["firmware"], seed, Fault(bits=during(bit)), least_s=5.0)
        assert found[code].startswith(word)
        assert len({"throttled", "under_voltage"} & set(found)) == 1


def bits_of(values: list[int]) -> list[Line]:
    """Readings half a second before the window of one second, in it, and half a second after."""
    times = (-0.5, 0.5, 1.5)
    return [
        reading("vcgencmd.throttled", value, "bits", START_NS + at_s * SECOND)
        for at_s, value in zip(times, values, strict=True)
    ]


WINDOW = (START_NS, START_NS + SECOND)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([0x0, 0x0, 0x10000], "under_voltage"),
        ([0x50000, 0x50000, 0x70000], "throttled"),
        ([0x0, 0x80000, 0x80000], "throttled"),
        ([0x50000, 0x50000, 0x50000], None),
        ([0x50005, 0x50000, 0x50000], None),  # live, but before the window
        ([0x50000, 0x50000, 0x50005], None),  # live after it, and nothing new
    ],
)
def test_sticky_bits_count_when_they_are_new(values: list[int], code: str | None) -> None:
    found = heat_findings(bits_of(values), WINDOW)
    assert [finding.code for finding in found] == ([code] if code else [])


def test_messages_name_value_time_and_limit() -> None:
    (finding,) = heat_findings(bits_of([0x0, 0x50005, 0x50000])[1:2] + bits_of([0, 1, 0x50005])[2:], WINDOW)[
        :1
    ]
    assert finding.message == "under-voltage 0.5 s into the window of 1.0 s (bits 0x50005)"
    (finding,) = heat_findings(bits_of([0x50000, 0x50000, 0x70000]), WINDOW)
    assert finding.message == (
        "frequency capped between 0.5 s before the window and 0.5 s after the window "
        "(bits 0x50000, then 0x70000)"
    )
    slow = [
        line
        for at_s in range(-2, 12)
        for name, value in policy(0, 1.2e9 if at_s > 3 else 1.5e9, 6e8, 1.5e9, "performance").items()
        for line in [reading(name, value, "hz", START_NS + (at_s + 0.1) * SECOND)]
    ]
    (finding,) = heat_findings(slow, (START_NS, START_NS + 10 * SECOND))
    assert finding.message == (
        "cpufreq.policy0.current at 1.20 GHz 4.1 s into the window of 10.0 s; below the limit of 1.43 GHz "
        "in 6 of 10 readings"
    )


def test_a_limit_that_throttling_lowers_is_no_new_target() -> None:
    lines = [
        reading(name, value, "hz", START_NS + (at_s + 0.1) * SECOND)
        for at_s in range(-2, 12)
        for high in [1.2e9 if at_s > 3 else 1.5e9]
        for name, value in policy(0, high, 6e8, high, "performance").items()
    ]
    assert [f.code for f in heat_findings(lines, (START_NS, START_NS + 10 * SECOND))] == ["clock_drop"]


def test_counters_that_rose_are_found() -> None:
    for seed in range(INJECTIONS):
        begins_s = random.Random(seed).uniform(0.1, 4.0)
        fault = Fault(count=lambda at_s, begins_s=begins_s: 3 if at_s > begins_s else 0)  # type: ignore[misc]
        found = codes(KINDS["locked"], seed, fault, least_s=5.0)
        assert set(found) == {"throttled"}
        assert " rose by 3 to " in found["throttled"]


def test_counts_before_and_after_the_window_say_nothing() -> None:
    for seed in range(INJECTIONS):
        fault = Fault(count=lambda at_s: 3 if at_s > -5 else 0)
        assert "throttled" not in codes(KINDS["locked"], seed, fault)


@pytest.mark.parametrize("bit", [0x8, 0x20, 0x40, 0x80])
def test_a_throttled_gpu_is_found_where_it_is_used(bit: int) -> None:
    for seed in range(INJECTIONS):
        fault = Fault(gpu=during(bit))
        assert set(codes(KINDS["GPU with boost"], seed, fault, least_s=5.0)) == {"throttled"}
        assert codes(KINDS["locked"], seed, fault, least_s=5.0) == {}


@pytest.mark.parametrize("bit", [0x2, 0x4, 0x10, 0x100])
def test_what_a_user_set_and_the_power_cap_are_no_throttling(bit: int) -> None:
    assert codes(KINDS["GPU with boost"], 1, Fault(gpu=during(bit)), least_s=5.0) == {}


@pytest.mark.parametrize(
    ("fault", "words"),
    [(Fault(others=0.25), "other programs used"), (Fault(steal=0.06), "the hypervisor took")],
)
def test_neighbours_are_found(fault: Fault, words: str) -> None:
    for seed in range(INJECTIONS):
        found = codes(KINDS["locked"], seed, fault, least_s=2.0)
        assert set(found) == {"noisy_neighbour"}
        assert words in found["noisy_neighbour"]
        assert "of a core, limit" in found["noisy_neighbour"]


def test_below_one_second_nothing_is_said_of_neighbours() -> None:
    lines, _ = simulate(KINDS["locked"], 3, Fault(others=2.0, steal=2.0))
    assert heat_findings(lines, (START_NS, START_NS + SECOND - 1), cores=4) == ()
    assert len(heat_findings(lines, (START_NS, START_NS + SECOND), cores=4)) == 1


@pytest.mark.parametrize("lines", [[], [{"type": "clock", "t_ns": 1}], [reading("thermal.a", None, "c", 5)]])
def test_nothing_read_is_nothing_found(lines: list[dict[str, Any]]) -> None:
    assert heat_findings(lines, WINDOW, "cuda", 4) == ()

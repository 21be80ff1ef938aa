"""A long window, minute by minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.statistics.sustained import MINUTE_NS, sustained
from tests.support.heat import SECOND, Line, reading

START_NS = 7 * SECOND


def latencies(minutes: float, latency_ns: float, growth: float = 0.0) -> list[int]:
    """Back to back; each minute ``growth`` slower than the last."""
    values, at_ns = [], 0.0
    while at_ns < minutes * MINUTE_NS:
        values.append(round(latency_ns * (1 + growth * (at_ns // MINUTE_NS))))
        at_ns += values[-1]
    return values


def window_of(values: list[int]) -> tuple[int, int]:
    return START_NS, START_NS + sum(values)


def telemetry(minutes: int) -> list[Line]:
    """A reading of everything every ten seconds: heating by a degree a minute, slowing by 10 MHz."""
    lines: list[Line] = [{"type": "clock", "t_ns": 0}]
    for second in range(0, minutes * 60, 10):
        at_ns, minute = START_NS + (second + 0.5) * SECOND, second // 60
        lines += [
            reading("thermal.cpu", 50.0 + minute + (second % 60) / 60, "c", at_ns),
            reading("thermal.PMIC-Die", 100.0, "c", at_ns),
            reading("cpufreq.policy0.current", 2.4e9 - 1e7 * minute, "hz", at_ns),
            reading("cpufreq.policy0.max", 2.4e9, "hz", at_ns),
            reading("nvml.0.clock_sm", 1.7e9, "hz", at_ns),
            reading("thermal.cv0", None, "c", at_ns),
        ]
    return lines


def test_thirty_minutes_that_slow_down() -> None:
    values = latencies(30, 50e6, 0.01)
    found = sustained(values, window_of(values), telemetry(30))
    assert len(found.minutes) in (30, 31)  # the last inference may end in another one
    assert (found.first_minute, found.last_minute, found.reason) == (1, 30, None)
    assert found.ratio == pytest.approx(1.29)
    first, last = found.minutes[0], found.minutes[29]
    assert (first.p50_ns, last.p50_ns) == (50e6, 64.5e6)
    assert first.iterations == 1200
    assert (first.clock_hz, last.clock_hz) == (2.4e9, 2.11e9)
    assert (first.max_c, last.max_c) == (pytest.approx(50 + 50 / 60), pytest.approx(79 + 50 / 60))
    assert first.mean_c == pytest.approx(50 + 25 / 60)
    assert (found.clock_source, found.temperature_source) == ("cpufreq.policy0.current", "thermal.cpu")
    assert found.at(found.last_minute) == last


def test_a_steady_board_has_a_ratio_of_one() -> None:
    values = [50_000_000] * (1200 * 30)
    assert sustained(values, window_of(values), []).ratio == 1.0


def test_the_clock_is_the_accelerators_where_one_is_used() -> None:
    values = [50_000_000] * 2400
    assert sustained(values, window_of(values), telemetry(2), "cuda").clock_source == "nvml.0.clock_sm"


def test_the_firmwares_clock_is_trusted_over_the_kernels() -> None:
    lines = [*telemetry(2), reading("vcgencmd.clock_arm", 1.5e9, "hz", START_NS + SECOND)]
    values = [50_000_000] * 2400
    found = sustained(values, window_of(values), lines)
    assert (found.clock_source, found.minutes[0].clock_hz) == ("vcgencmd.clock_arm", 1.5e9)
    assert found.minutes[1].clock_hz is None


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (30, "the window holds 0 full minutes, 2 are needed"),
        (119, "the window holds 1 full minute, 2 are needed"),
    ],
)
def test_fewer_than_two_full_minutes_compare_nothing(seconds: int, reason: str) -> None:
    values = [SECOND] * seconds
    found = sustained(values, window_of(values), [])
    assert (found.ratio, found.reason) == (None, reason)
    assert sum(minute.iterations for minute in found.minutes) == seconds


def test_the_last_full_minute_counts_and_not_the_rest() -> None:
    values = [SECOND] * 60 + [2 * SECOND] * 30 + [3 * SECOND] * 10
    found = sustained(values, window_of(values), [])
    assert (found.ratio, found.last_minute, len(found.minutes)) == (2.0, 2, 3)


def test_inferences_longer_than_a_minute_are_no_ratio() -> None:
    values = [150 * SECOND, 10 * SECOND, 80 * SECOND]
    found = sustained(values, window_of(values), [])
    assert (found.ratio, found.reason) == (None, "no inference began in minute 4")
    assert [minute.p50_ns for minute in found.minutes] == [150 * SECOND, None, 45 * SECOND, None]


def test_an_empty_window_is_an_empty_curve() -> None:
    found = sustained([], (5, 5), telemetry(1))
    assert (found.minutes, found.ratio) == ((), None)


@given(st.lists(st.integers(1, 100 * SECOND), min_size=1, max_size=60), st.integers(0, SECOND))
def test_every_inference_belongs_to_one_minute(values: list[int], between_ns: int) -> None:
    window = (START_NS, START_NS + sum(values) + between_ns * len(values))
    found = sustained(values, window, [])
    assert sum(minute.iterations for minute in found.minutes) == len(values)
    assert sum(minute.duration_ns for minute in found.minutes) == window[1] - window[0]
    assert (found.ratio is None) == (found.reason is not None)


def test_a_window_that_ended_early_says_when_and_why() -> None:
    values = [10_000_000] * 15_000
    found = sustained(values, window_of(values), [], asked_ns=30 * MINUTE_NS)
    assert (
        found.cut == "the window ended after 2.5 of 30 minutes, at 15,000 inferences: a window holds no more"
    )
    assert (found.ratio, found.last_minute) == (1.0, 2)
    assert sustained(values, window_of(values), [], asked_ns=150 * SECOND).cut is None


def test_what_is_not_read_has_its_reason() -> None:
    lines = [reading(name, None, "c", START_NS, "no_sensor") for name in ("thermal", "hwmon")]
    found = sustained([SECOND], (START_NS, START_NS + SECOND), lines)
    assert found.temperature_reason == "no temperature sensor: thermal: no_sensor, hwmon: no_sensor"
    assert found.clock_reason == "no clock sensor: no source reads one"
    lines.append(reading("thermal.PMIC-Die", 100.0, "c", START_NS))
    found = sustained([SECOND], (START_NS, START_NS + SECOND), lines)
    assert found.temperature_reason == "no temperature moved: thermal.PMIC-Die stood at 100 C"
    found = sustained([SECOND] * 120, (START_NS, START_NS + 120 * SECOND), telemetry(2))
    assert (found.clock_reason, found.temperature_reason) == (None, None)

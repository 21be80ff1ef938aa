"""Mean power minute by minute."""

from __future__ import annotations

import pytest

from orchestrator.energy import power_course
from orchestrator.statistics.sustained import MINUTE_NS, minutes_of
from tests.support.heat import SECOND, Line, reading

WINDOW = (0, 2 * MINUTE_NS + 3 * SECOND)


def power(at_s: int) -> float:
    return 4.0 + (at_s % 7) / 100 + (2.0 if at_s >= 60 else 0.0)


def lines(until_s: int = 125) -> list[Line]:
    found, joules = [], 0.0
    for at_s in range(-1, until_s):
        joules += power(at_s)
        found += [
            reading("ina.VDD", power(at_s), "w", at_s * SECOND),
            {**reading("rapl.package-0", joules, "j", at_s * SECOND), "method": "counter"},
            reading("nvml.0.power", None, "w", at_s * SECOND, "no_sensor"),
            reading("thermal.cpu", 50.0, "c", at_s * SECOND),
        ]
    return found


def test_each_source_that_answers_has_a_course() -> None:
    sampled, counted = power_course(lines(), minutes_of(WINDOW))
    assert (sampled.source, counted.source) == ("ina.VDD", "rapl.package-0")
    for course in (sampled, counted):
        assert course.mean_w[:2] == (pytest.approx(4.03, abs=0.04), pytest.approx(6.03, abs=0.04))
        assert course.mean_w[2] is None  # three seconds are five readings
        assert course.reason == "5 readings, 10 are needed"


def test_a_minute_without_readings_is_unknown() -> None:
    sampled, _ = power_course(lines(90), minutes_of(WINDOW))
    assert sampled.mean_w[0] is not None and sampled.mean_w[1] is None
    assert "without a reading" in (sampled.reason or "")


def test_no_source_is_no_course() -> None:
    assert power_course([], minutes_of(WINDOW)) == ()

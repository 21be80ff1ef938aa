"""In a window that was asked to be long, what heat does is told with its minute and is no fault."""

from __future__ import annotations

import pytest

from orchestrator.domain import Severity, Verdict
from orchestrator.findings import Circumstances, case_findings, heat_findings, of_sustained, verdict
from orchestrator.findings.codes import Code
from orchestrator.findings.trial import trial_findings
from orchestrator.statistics.stability import spread_by_minute
from orchestrator.statistics.sustained import MINUTE_NS
from tests.support import results
from tests.support.heat import SECOND, Line, reading

WINDOW = (10 * SECOND, 10 * SECOND + 10 * MINUTE_NS)
IN_MINUTE_4 = WINDOW[0] + 3 * MINUTE_NS + 20 * SECOND


def every(source: str, unit: str, before: float, after: float) -> list[Line]:
    """Readings every ten seconds, which change in minute 4."""
    return [
        reading(source, after if at_ns >= IN_MINUTE_4 else before, unit, at_ns)
        for at_ns in range(5 * SECOND, WINDOW[1] + 10 * SECOND, 10 * SECOND)
    ]


def slowing(minutes: int) -> list[int]:
    """Twice as slow in the end, a step each minute."""
    steps = (100_000_000 * (minutes + number) // minutes for number in range(minutes))
    return [value for value in steps for _ in range(-(-MINUTE_NS // value))]


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (every("vcgencmd.throttled", "bits", 0, 0x40004), "throttled", "(minute 4)"),
        (every("vcgencmd.throttled", "bits", 0, 0x40000), "throttled", "first seen in minute 4"),
        (every("throttle.core_0", "count", 5, 9), "throttled", "first seen in minute 4"),
        (
            [
                *every("cpufreq.policy0.current", "hz", 2.4e9, 1.2e9),
                *every("cpufreq.policy0.min", "hz", 2.4e9, 2.4e9),
                *every("cpufreq.policy0.max", "hz", 2.4e9, 2.4e9),
            ],
            "clock_drop",
            "first seen in minute 4",
        ),
    ],
)
def test_heat_is_a_note_with_the_minute_it_began(lines: list[Line], code: str, words: str) -> None:
    found = heat_findings(lines, WINDOW)
    assert [(one.code, one.severity) for one in found] == [(code, Severity.INVALID)]
    (told,) = of_sustained(found)
    assert (told.code, told.severity, told.message) == (code, Severity.NOTE, found[0].message)
    assert words in told.message
    assert "run again" not in told.advice


def test_short_windows_have_no_minutes() -> None:
    lines = [reading("vcgencmd.throttled", 0x4, "bits", WINDOW[0] + SECOND)]
    (told,) = heat_findings(lines, (WINDOW[0], WINDOW[0] + 10 * SECOND))
    assert "minute" not in told.message


def test_what_spoils_a_curve_stays() -> None:
    given = [code.finding("seen") for code in (Code.UNDER_VOLTAGE, Code.HOT_START, Code.NOISY_NEIGHBOUR)]
    assert of_sustained(given) == tuple(given)


def test_a_window_that_slows_down_is_neither_a_trend_nor_unstable() -> None:
    values = slowing(10)
    record = results.record(results.case(), 0, values)
    short = {one.code for one in trial_findings(record, values)}
    long = {one.code: one.severity for one in of_sustained(trial_findings(record, values, sustained=True))}
    assert {"trend", "unstable"} <= short
    assert "trend" not in long
    assert long.get("unstable") in (None, Severity.NOTE)


def test_noise_within_each_minute_is_unstable() -> None:
    values = [80_000_000, 120_000_000] * 900
    assert spread_by_minute(values) == pytest.approx(0.2, rel=0.01)
    record = results.record(results.case(), 0, values)
    found = {one.code: one for one in trial_findings(record, values, sustained=True)}
    assert found["unstable"].message == "standard deviation 20% of the mean within a minute"
    assert found["unstable"].severity is Severity.SUSPECT


def test_a_course_adds_nothing_to_the_spread_of_its_minutes() -> None:
    assert spread_by_minute(slowing(10)) == 0.0
    assert spread_by_minute([5, 15]) == pytest.approx(0.7071, rel=0.01)


def test_one_launch_is_what_was_asked_for() -> None:
    record = results.record(results.case(), 0, [10_000_000] * 1000)
    cut = "the window ended after 16 of 30 minutes, at 10,000,000 inferences: a window holds no more"
    found = case_findings([record], Circumstances(sustained=True, window_cut=cut))
    told = {one.code: one for one in found}
    assert told["too_few_launches"].severity is Severity.NOTE
    assert "SUSTAINED" in told["too_few_launches"].advice
    assert told["window_cut"].message == cut
    assert verdict(found) is Verdict.VALID
    assert verdict(case_findings([record], Circumstances())) is Verdict.SUSPECT

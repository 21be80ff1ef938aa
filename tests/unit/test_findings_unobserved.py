"""A machine that shows neither throttling nor clocks says so; one that shows either says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.findings.unobserved import heat_unobserved

WINDOW = (10_000_000_000, 15_000_000_000)


def reading(
    source: str, value: Any, reason: str | None = None, at_ns: int = 12_000_000_000
) -> dict[str, Any]:
    return {
        "type": "reading",
        "source": source,
        "value": value,
        "reason": reason,
        "t0_ns": at_ns,
        "t1_ns": at_ns,
    }


@pytest.mark.parametrize(
    "source, value",
    [
        ("vcgencmd.throttled", 0),
        ("vcgencmd.clock_arm", 2_400_000_000),
        ("throttle.package_0", 3),
        ("soctherm.oc1", 0),
        ("cpufreq.policy0.current", 1_800_000_000),
    ],
)
def test_one_witness_is_enough(source: str, value: int) -> None:
    blind = reading("throttle", None, "no_sensor")
    assert heat_unobserved([blind, reading(source, value)], WINDOW) == ()
    # Short windows have readings around them only.
    assert heat_unobserved([blind, reading(source, value, at_ns=9_900_000_000)], WINDOW) == ()


def test_without_a_witness_the_reasons_and_fixes_are_told() -> None:
    lines = [
        {"type": "fix", "source": "vcgencmd.throttled", "reason": "permission", "fix": "sudo usermod"},
        reading("vcgencmd.throttled", None, "permission"),
        reading("cpufreq", None, "no_sensor"),
        reading("thermal.cpu", 45.0),
        reading("host.cpu_busy", 5),
    ]
    (found,) = heat_unobserved(lines, WINDOW)
    assert (found.code, found.severity.value) == ("heat_unobserved", "note")
    assert found.message == "vcgencmd.throttled permission (sudo usermod), cpufreq no_sensor"
    (nothing,) = heat_unobserved([], WINDOW)
    assert nothing.message == "nothing that would tell was read"

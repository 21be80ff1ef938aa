"""The survey of power sources: what answers is read, what does not is told with its fix."""

from __future__ import annotations

from typing import Any

from orchestrator.power import Power, chosen, survey, why_none

SOURCES = ("rapl@0.1", "nvml@0.1", "shelly=http://plug", "thermal", "load")


def reading(source: str, value: float | None, reason: str | None = None, unit: str = "j") -> dict[str, Any]:
    return {"type": "reading", "source": source, "unit": unit, "value": value, "reason": reason}


def test_only_power_sources_are_asked_and_those_that_answer_are_read() -> None:
    asked: list[str] = []

    def sense(sources: Any) -> list[dict[str, Any]]:
        asked.extend(sources)
        return [
            {"type": "fix", "source": "rapl.package-0", "reason": "permission", "fix": "chmod it"},
            reading("rapl.package-0", None, "permission"),
            reading("nvml.0.energy", None, "no_sensor"),
            reading("nvml.0.temperature", 40.0, unit="c"),
            reading("shelly.power", 12.5, unit="w"),
            reading("shelly.energy", None, "not_supported"),
        ]

    power = survey(sense, SOURCES)
    assert asked == ["rapl@0.1", "nvml@0.1", "shelly=http://plug"]
    assert power.readable == ("shelly=http://plug",)
    assert power.refused["rapl.package-0"] == {"reason": "permission", "fix": "chmod it"}
    assert chosen(SOURCES, power) == ("shelly=http://plug", "thermal", "load")
    assert why_none(power.to_json()) is None


def test_without_any_the_reasons_and_fixes_are_one_line() -> None:
    power = Power(
        (),
        {
            "rapl.package-0": {"reason": "permission", "fix": "chmod it"},
            "nvml": {"reason": "no_sensor", "fix": None},
        },
    )
    assert why_none(power.to_json()) == "rapl.package-0: permission (chmod it); nvml: no_sensor"
    assert why_none(Power().to_json()) == "this device's profile names no power source"


def test_what_may_answer_later_is_asked_again() -> None:
    power = survey(lambda _: [reading("rapl.package-0", None, "eagain")], ("rapl",))
    assert power.readable == ("rapl",)


def test_a_machine_whose_profile_has_none_is_not_asked() -> None:
    assert survey(lambda _: 1 / 0, ("thermal",)) == Power()

"""jtop beside our own readings: the same input compared, and nothing claimed where one is silent."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.second_opinion import ask, disagreement

SOURCES = ("ina3221@0.1", "thermal")


def lines(watts: float, source: str = "ina3221.VDD_IN") -> list[dict[str, Any]]:
    return [
        {"type": "fix", "source": source, "reason": "permission", "fix": "x"},
        {"type": "reading", "source": source, "unit": "w", "value": watts},
        {"type": "reading", "source": "ina3221.VDD_SOC", "unit": "w", "value": 1.2},
    ]


def jtop(watts: float | None, reason: str | None = None) -> dict[str, Any]:
    return {"type": "jtop", "reason": reason, "power": {"total": {"name": "VDD_IN", "w": watts}}}


@pytest.mark.parametrize("theirs, agrees", [(4.7, True), (4.9, True), (6.2, False), (1.2, False)])
def test_the_same_input_is_compared(theirs: float, agrees: bool) -> None:
    slept: list[float] = []
    found = ask(lambda _: lines(4.75), SOURCES, None, slept.append, lambda _: jtop(theirs))
    assert found["cross_check"]["agrees"] is agrees
    assert slept == [4.0]
    said = disagreement([None, found])
    assert (said is None) is agrees
    if said:
        assert f"jtop reads VDD_IN at {theirs:.2f} W" in said


def test_where_one_is_silent_nothing_is_claimed() -> None:
    other = ask(lambda _: lines(4.7, "ina3221.POM_5V_IN"), SOURCES, None, lambda _: None, lambda _: jtop(4.7))
    assert other["cross_check"]["agrees"] is None
    assert disagreement([other]) is None
    slept: list[float] = []
    absent = ask(lambda _: lines(4.7), SOURCES, None, slept.append, lambda _: jtop(None, "no_sensor"))
    assert absent["cross_check"] is None
    assert slept == []
    assert disagreement([absent, None]) is None


def test_a_machine_without_such_a_sensor_is_not_read() -> None:
    found = ask(lambda _: 1 / 0, ("thermal",), None, lambda _: None, lambda _: jtop(4.7))
    assert found["cross_check"]["reason"] == "no reading of ours"

"""The survey of power sources: what answers is read, what does not is told with its fix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from orchestrator.domain import InferometerError
from orchestrator.power import (
    NO_SOURCE,
    SILENT,
    TRIES,
    Power,
    chosen,
    of_machine,
    refusals,
    still,
    survey,
    why_none,
)

SOURCES = ("rapl@0.1", "nvml@0.1", "shelly=http://plug", "thermal", "load")
Lines = list[dict[str, Any]]


def reading(
    source: str, value: float | None, reason: str | None = None, unit: str = "j", width_ns: int = 0
) -> dict[str, Any]:
    line = {"type": "reading", "source": source, "unit": unit, "value": value, "reason": reason}
    return {**line, "t0_ns": 5, "t1_ns": 5 + width_ns}


def answers(*tries: Lines) -> Callable[[Sequence[str]], Lines]:
    """One after another; to ask once more than that is a mistake."""
    left = iter(tries)
    return lambda _: next(left)


def no_pause(seconds: float) -> None:
    assert 0 < seconds <= 1


def test_only_power_sources_are_asked_and_those_that_answer_are_read() -> None:
    asked: list[str] = []

    def sense(sources: Sequence[str]) -> Lines:
        asked.extend(sources)
        return [
            {"type": "fix", "source": "rapl.package-0", "reason": "permission", "fix": "chmod it"},
            reading("rapl.package-0", None, "permission"),
            reading("nvml", None, "no_sensor", "w"),
            reading("shelly.power", 12.5, unit="w"),
            reading("shelly.energy", None, "not_supported"),
        ]

    power = survey(sense, SOURCES)
    assert asked == ["rapl@0.1", "nvml@0.1", "shelly=http://plug"]
    assert power.readable == ("shelly=http://plug",)
    assert power.refused["rapl.package-0"] == {"reason": "permission", "fix": "chmod it"}
    assert chosen(SOURCES, power) == ("shelly=http://plug", "thermal", "load")
    assert why_none(power.to_json()) is None


def test_a_source_without_power_that_tells_something_else_is_kept() -> None:
    lines = [
        reading("nvml.0.energy", None, "not_supported"),
        reading("nvml.0.power", None, "not_supported", "w"),
        reading("nvml.0.temperature", 40.0, unit="c"),
    ]
    power = survey(answers(lines), ("nvml@0.1",))
    assert (power.readable, power.beside) == ((), ("nvml@0.1",))
    assert chosen(SOURCES, power) == ("nvml@0.1", "thermal", "load")
    assert why_none(power.to_json()) == "nvml: not_supported"


def test_without_any_the_reasons_and_fixes_are_one_line() -> None:
    power = Power(
        (),
        {
            "rapl.package-0": {"reason": "permission", "fix": "chmod it"},
            "nvml": {"reason": "no_sensor", "fix": None},
            "shelly.power": {"reason": "timeout", "fix": "nearer"},
            "shelly.energy": {"reason": "timeout", "fix": "nearer"},
            "ina2xx": {"reason": "no_sensor", "fix": None},
        },
    )
    assert why_none(power.to_json()) == (
        "rapl.package-0: permission (chmod it); nvml, ina2xx: no_sensor; shelly: timeout (nearer)"
    )


def test_of_a_source_that_is_read_each_channel_that_is_not_is_told() -> None:
    said = {"reason": "permission", "fix": None}
    power = Power(("rapl@0.1",), {"rapl.psys": said, "rapl.dram-0": said})
    assert refusals(power.to_json()) == ["rapl.psys, rapl.dram-0: permission"]


@pytest.mark.parametrize(
    "reason", ["eagain", "timeout", "stale", "io_error", "out_of_range", "enodata", "parse"]
)
def test_one_bad_reading_drops_no_source(reason: str) -> None:
    bad, good = [reading("rapl.package-0", None, reason)], [reading("rapl.package-0", 5.0)]
    power = survey(answers(bad, bad, good), ("rapl",), no_pause)
    assert (power.readable, power.refused) == (("rapl",), {})


@pytest.mark.parametrize("reason", ["eagain", "timeout", "io_error"])
def test_what_fails_each_time_is_refused_with_its_last_reason(reason: str) -> None:
    first, last = [reading("rapl.package-0", None, "parse")], [reading("rapl.package-0", None, reason)]
    power = survey(answers(*[first] * (TRIES - 1), last), ("rapl",), no_pause)
    assert power.readable == ()
    assert why_none(power.to_json()) == f"rapl.package-0: {reason}"


@pytest.mark.parametrize("reason", ["no_sensor", "permission", "not_supported"])
def test_what_will_not_pass_is_asked_once(reason: str) -> None:
    power = survey(answers([reading("rapl.package-0", None, reason)]), ("rapl",), no_pause)
    assert power.readable == ()


def test_one_that_is_silent_while_another_speaks_is_not_waited_for() -> None:
    power = survey(answers([reading("rapl.package-0", 1.0)]), ("rapl@0.1", "perf_energy@0.1"), no_pause)
    assert power.readable == ("rapl@0.1",)
    assert chosen(("rapl@0.1", "perf_energy@0.1"), power) == ("rapl@0.1",)


def test_each_cause_of_nothing_has_its_own_words() -> None:
    assert survey(lambda _: 1 / 0, ("thermal",)).why == NO_SOURCE  # type: ignore[arg-type, return-value]
    silent = survey(answers([], [], []), ("rapl",), no_pause)
    assert (silent.readable, why_none(silent.to_json())) == ((), SILENT)
    assert why_none({"readable": [], "refused": {}}) == NO_SOURCE  # a run of an older version


def test_the_interval_is_the_one_that_the_width_of_a_read_allows() -> None:
    def widths(width_ns: int) -> tuple[str, ...]:
        lines = [reading("rpi_pmic.sum", 3.0, unit="w", width_ns=width_ns)]
        return survey(answers(lines), ("rpi_pmic@0.2",)).attainable

    assert widths(100_000_000) == ("rpi_pmic@0.2",)
    assert widths(110_000_000) == ("rpi_pmic@0.4",)
    assert widths(450_000_000) == ("rpi_pmic@1.6",)


PLUG = "http://192.0.2.1"


def plugs(**values: float | str) -> Callable[[Sequence[str]], Lines]:
    """What ``shelly`` and ``tasmota`` answer, each if it is asked."""

    def sense(sources: Sequence[str]) -> Lines:
        kinds = [source.partition("=")[0].partition("@")[0] for source in sources]
        return [
            reading(f"{kind}.power", None, value, "w")
            if isinstance(value, str)
            else reading(f"{kind}.power", value, unit="w")
            for kind, value in values.items()
            if kind in kinds
        ]

    return sense


@pytest.mark.parametrize("kind", ["shelly", "tasmota"])
def test_a_plug_tells_which_it_is(kind: str) -> None:
    said: dict[str, float | str] = {"shelly": "no_sensor", "tasmota": "no_sensor"}
    sources, power = of_machine(plugs(**{**said, kind: 5.0}), ("thermal",), (PLUG,), no_pause)
    assert sources == ("thermal", f"{kind}={PLUG}")
    assert (power.readable, power.refused) == ((f"{kind}={PLUG}",), {})


def test_a_meter_that_does_not_answer_is_refused_though_another_source_does() -> None:
    sense = plugs(rapl=5.0, shelly="timeout", tasmota="no_sensor")
    with pytest.raises(InferometerError) as caught:
        of_machine(sense, ("rapl",), (PLUG,), no_pause)
    assert (
        str(caught.value) == f"--meter {PLUG} gives no power: shelly.power: timeout; tasmota.power: no_sensor"
    )
    with pytest.raises(InferometerError, match="no power: shelly.power: timeout$"):
        of_machine(sense, ("rapl",), (f"shelly={PLUG}",), no_pause)
    assert of_machine(sense, ("rapl",), (), no_pause)[1].readable == ("rapl",)


def test_two_plugs_of_one_make_cannot_be_told_apart() -> None:
    sense = plugs(shelly=5.0, tasmota="no_sensor")
    with pytest.raises(InferometerError, match="two plugs of one make"):
        of_machine(sense, (), (PLUG, "http://192.0.2.2"), no_pause)


def test_a_run_goes_on_only_with_what_it_began_with() -> None:
    still(lambda _: 1 / 0, (), no_pause)  # type: ignore[arg-type, return-value]
    still(plugs(rapl=5.0), ("rapl@0.1", "perf_energy@0.1"), no_pause)
    with pytest.raises(InferometerError) as caught:
        still(plugs(rapl=5.0, shelly="timeout"), ("rapl@0.1", f"shelly={PLUG}"), no_pause)
    assert str(caught.value) == (
        "shelly was readable when this run began, now: timeout; mend it, "
        "or begin anew with another RESULTS folder"
    )
    with pytest.raises(InferometerError, match="now: telemetry gave no reading"):
        still(answers([], [], []), ("rapl@0.1",), no_pause)

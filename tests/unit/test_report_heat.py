"""Clock and temperature beside a latency: the domain that ran it, the hottest sensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.domain import CaseSummary, TrialRecord, Verdict
from orchestrator.merge import Facts, summarise
from orchestrator.report.heat import clock_of, heat_columns
from tests.support.results import case, record, summary, window

CORES = {"cpufreq.policy0.current": 1.2e9, "cpufreq.policy4.current": 2.4e9}


def row(
    clocks: Mapping[str, float] = {}, temperatures: Mapping[str, float] = {}, where: str = "cpu"
) -> CaseSummary:
    one = summary(case(accelerator=where), 4.1e7)
    return replace(one, clocks_hz=clocks, temperatures_c=temperatures)


def test_the_clock_is_of_what_ran_the_case() -> None:
    assert clock_of(row(CORES)) == ("cpufreq.policy4.current", 2.4e9)
    assert clock_of(row({**CORES, "vcgencmd.clock_arm": 1.5e9})) == ("vcgencmd.clock_arm", 1.5e9)
    both = {**CORES, "devfreq.gpu.current": 9.2e8}
    assert clock_of(row(both)) == ("cpufreq.policy4.current", 2.4e9)
    assert clock_of(row(both, where="cuda")) == ("devfreq.gpu.current", 9.2e8)
    assert clock_of(row()) is None


def test_columns_stand_where_some_row_has_them() -> None:
    assert heat_columns([row()]) == []
    rows = [row(CORES, {"thermal.cpu": 61.25, "thermal.gpu": 58.0}), row()]
    clock, hottest = heat_columns(rows)
    assert [clock.cell(one).text for one in rows] == ["2400", "–"]
    assert [hottest.cell(one).text for one in rows] == ["61.2", "–"]
    assert hottest.cell(rows[1]).note == "no temperature was read"


def test_a_case_has_the_highest_temperature_and_the_mean_clock_of_its_launches() -> None:
    def told(hz: float, c: float) -> dict[str, object]:
        clock = {"unit": "hz", "method": "sampled", "mean": hz, "max": hz}
        limit = {"unit": "hz", "method": "setting", "mean": None, "max": 3e9}
        return {
            "cpufreq.policy0.current": clock,
            "cpufreq.policy0.max": limit,
            "thermal.cpu": {"unit": "c", "method": "sampled", "mean": c, "max": c + 1},
            "telemetry": {"reason": None, "interval_ns": 10**9},
        }

    which, windows = case(), [window(4e7, launch) for launch in range(2)]
    records: list[TrialRecord] = [
        record(which, 0, windows[0], telemetry=told(2e9, 50.0)),
        record(which, 1, windows[1], telemetry=told(1e9, 60.0)),
    ]
    found = summarise(which, records, windows, (), Verdict.VALID, Facts())
    assert found.clocks_hz == {"cpufreq.policy0.current": 1.5e9}
    assert found.temperatures_c == {"thermal.cpu": 61.0}
    # Those of the machine that emulates are not the board's.
    elsewhere = summarise(which, records, windows, (), Verdict.INVALID, Facts(emulated=True))
    assert (elsewhere.clocks_hz, elsewhere.temperatures_c) == ({}, {})

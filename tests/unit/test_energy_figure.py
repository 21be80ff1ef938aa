"""A launch's energy beside its readings: net of idle, reasons in words, scopes apart, and what is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from orchestrator.domain import Case, CaseEnergy, Energy, Status, TrialRecord
from orchestrator.energy import Windows, case_energy, energy_of, needed_idle_ns, needed_window_ns
from tests.support.power_traces import (
    Constant,
    Phases,
    Schedule,
    Sensor,
    Sum,
    Trace,
    lines,
    white,
    window_ns,
)

BEFORE, MEASURE, AFTER, LENGTH_S = (1.0, 17.0), (18.0, 50.0), (52.0, 68.0), 70.0
WINDOWS = Windows(window_ns(MEASURE), window_ns(BEFORE), window_ns(AFTER))
Lines = list[dict[str, Any]]


def _trace(idle_w: float = 2.0, load_w: float = 4.0, later_w: float = 0.0, noise_w: float = 0.05) -> Trace:
    phases = (
        (17.5, Constant(idle_w)),
        (51.0, Constant(idle_w + load_w)),
        (LENGTH_S, Constant(idle_w + later_w)),
    )
    return Sum((Phases(phases), white(Random(5), noise_w, 0.01, LENGTH_S)))


def _lines(trace: Trace | None = None, source: str = "ina3221.VDD_IN", kind: str = "points") -> Lines:
    sensor = Sensor(trace or _trace(), kind)
    return lines(sensor, (0.0, LENGTH_S), Schedule(0.1, 0.004, 0.004), Random(2), source)


@pytest.mark.parametrize("kind", ["points", "counter"])
def test_net_is_gross_less_the_mean_of_both_idle_levels(kind: str) -> None:
    trace = _trace()
    (figure,) = energy_of(_lines(trace, kind=kind), WINDOWS, 64)
    assert figure.gross_j is not None and figure.idle_w is not None and figure.net_j is not None
    assert figure.gross_j == pytest.approx(trace.energy_j(*MEASURE), rel=0.002)
    assert figure.idle_w == pytest.approx(2.0, abs=0.02)
    assert figure.net_j == pytest.approx(figure.gross_j - figure.idle_w * 32, rel=1e-9)
    assert figure.net_per_inference_j == pytest.approx(figure.net_j / 64)
    assert figure.mean_w == pytest.approx(figure.gross_j / 32)
    assert (figure.idle_before_w or 0) + (figure.idle_after_w or 0) == pytest.approx(2 * figure.idle_w)
    assert figure.idle_shift_w is figure.reason is figure.net_reason is None
    assert not figure.calibrated
    assert figure.net_uncertainty_j is not None and figure.uncertainty_j is not None
    assert 0 < figure.uncertainty_j < figure.net_uncertainty_j < 0.02 * figure.net_j


def test_a_shift_of_idle_power_widens_net_by_half_of_it_and_is_said() -> None:
    (steady,) = energy_of(_lines(), WINDOWS, 1)
    (shifted,) = energy_of(_lines(_trace(later_w=0.5)), WINDOWS, 1)
    assert shifted.idle_shift_w == pytest.approx(0.5, abs=0.03)
    assert steady.net_uncertainty_j is not None and shifted.net_uncertainty_j is not None
    assert shifted.idle_shift_w is not None
    wider = (shifted.net_uncertainty_j**2 - steady.net_uncertainty_j**2) ** 0.5
    assert wider == pytest.approx(shifted.idle_shift_w / 2 * 32, rel=0.02)
    assert shifted.uncertainty_j == pytest.approx(steady.uncertainty_j, rel=0.1)


@pytest.mark.parametrize(
    ("windows", "reason"),
    [
        (replace(WINDOWS, idle=None), "idle power before the window: not measured"),
        (replace(WINDOWS, idle_after=None), "idle power after the window: not measured"),
        (
            Windows(WINDOWS.measure),
            "idle power before the window: not measured; after the window: not measured",
        ),
        (
            replace(WINDOWS, idle=window_ns((1.0, 3.0))),
            "idle power before the window: window 2.0 s, INA3221 needs 15 s: ENERGY=1",
        ),
        (
            replace(WINDOWS, idle_after=window_ns((54.0, 69.0 + 20))),
            "idle power after the window: 19.00 s without a reading, at most 3 intervals of 0.10 s",
        ),
    ],
)
def test_without_both_idle_levels_there_is_no_net(windows: Windows, reason: str) -> None:
    (figure,) = energy_of(_lines(), windows, 1)
    assert figure.gross_j is not None and figure.reason is None
    assert figure.net_j is figure.idle_w is figure.net_per_inference_j is figure.net_uncertainty_j is None
    assert (figure.net_reason or "").startswith(reason)


@pytest.mark.parametrize(
    ("source", "span", "reason"),
    [
        ("rapl.package-0", (20.0, 25.0), "window 5.0 s, RAPL needs 10 s: ENERGY=1"),
        ("nvml.0.energy", (20.0, 35.0), "window 15.0 s, NVML needs 20 s: ENERGY=1"),
        ("shelly.power", MEASURE, "window 32.0 s, Shelly needs 300 s: ENERGY=1"),
        ("a-new-one.power", (20.0, 49.5), "window 29.5 s, a-new-one needs 30 s: ENERGY=1"),
    ],
)
def test_a_window_too_short_says_what_is_needed(source: str, span: tuple[float, float], reason: str) -> None:
    (figure,) = energy_of(_lines(source=source), Windows(window_ns(span)), 1)
    assert figure.gross_j is None
    assert figure.reason == figure.net_reason == reason


def test_fewer_than_a_hundred_readings_say_what_is_needed() -> None:
    slow = lines(Sensor(_trace()), (0.0, LENGTH_S), Schedule(0.5), Random(2))
    (figure,) = energy_of(slow, WINDOWS, 1)
    assert figure.reason == "67 readings, 100 are needed: ENERGY=1"


def test_a_window_that_ended_at_its_most_inferences_names_that() -> None:
    short = replace(WINDOWS, measure=window_ns((20.0, 28.0)), asked_ns=31_500_000_000)
    (figure,) = energy_of(_lines(), short, 10_000_000)
    reason = "window 8 s of 31.5 s: ended at 10000000 inferences; use a larger BATCH"
    assert figure.reason == figure.net_reason == reason
    # Where a whole window would have been too short as well, a longer one is the first thing to ask for.
    (figure,) = energy_of(_lines(), replace(short, asked_ns=10_000_000_000), 10_000_000)
    assert figure.reason == "window 8.0 s, INA3221 needs 30 s: ENERGY=1"


def test_a_sensor_that_fails_says_so_where_a_longer_window_would_not_help() -> None:
    broken = [{**line, "value": None, "reason": "parse"} for line in _lines()]
    half = [
        good if number < 250 else bad for number, (good, bad) in enumerate(zip(_lines(), broken, strict=True))
    ]
    (figure,) = energy_of(half, WINDOWS, 1)
    assert figure.reason and re.fullmatch(
        r"\d\d readings, 100 are needed; \d{3} had no value: parse", figure.reason
    )
    gap = [
        bad if 250 <= number < 260 else good
        for number, (good, bad) in enumerate(zip(_lines(), broken, strict=True))
    ]
    (figure,) = energy_of(gap, WINDOWS, 1)
    assert figure.reason == (
        "1.10 s without a reading, at most 3 intervals of 0.10 s are allowed; 10 had no value: parse"
    )


def test_what_was_never_read_keeps_the_sensors_own_word() -> None:
    refused = [{**line, "value": None, "reason": "permission"} for line in _lines()]
    (figure,) = energy_of(refused, WINDOWS, 1)
    assert (figure.reason, figure.count, figure.coverage, figure.rate_hz) == ("permission", 0, 0.0, None)
    assert figure.max_gap_ns == figure.window_ns == 32_000_000_000


@pytest.mark.parametrize(
    ("windows", "iterations", "reason"),
    [
        (Windows(None), 5, "the window was not reached or not closed"),
        (WINDOWS, 0, "no inference ended inside the window"),
    ],
)
def test_no_window_and_no_inference(windows: Windows, iterations: int, reason: str) -> None:
    (figure,) = energy_of(_lines(), windows, iterations)
    assert (figure.gross_j, figure.reason, figure.net_reason) == (None, reason, reason)


def test_each_source_has_its_own_figure_and_nothing_is_added() -> None:
    board = [{**line, "scope": "board_input"} for line in _lines(source="ina3221.POM_5V_IN")]
    rail = [
        {**line, "scope": "supply_rail"}
        for line in _lines(Sum((_trace(), Constant(-1.5))), "ina3221.POM_5V_CPU")
    ]
    other = [
        {**line, "unit": unit, "method": method, "source": f"x.{unit}"}
        for line in board
        for unit, method in (("c", "sampled"), ("hz", "sampled"), ("w", "setting"), ("j", "sampled"))
    ]
    mixed = [{"type": "clock"}, *(line for group in zip(board, rail, strict=True) for line in group), *other]
    figures = energy_of(mixed, WINDOWS, 1)
    assert [(figure.source, figure.scope) for figure in figures] == [
        ("ina3221.POM_5V_IN", "board_input"),
        ("ina3221.POM_5V_CPU", "supply_rail"),
    ]
    assert figures[0].gross_j == energy_of(board, WINDOWS, 1)[0].gross_j
    assert energy_of([], WINDOWS, 1) == ()


def test_no_reading_of_the_load_is_in_the_idle_level() -> None:
    # Load right up to both idle windows; a meter that shows the mean of its last second.
    phases = ((100.0, Constant(9.0)), (260.0, Constant(2.0)), (580.0, Constant(9.0)), (742.0, Constant(2.0)))
    sensor = Sensor(Sum((Phases(phases), white(Random(1), 0.05, 0.1, 742))), "average", 1.0, offset_s=0.5)
    taken = lines(sensor, (0.0, 740.0), Schedule(1.0, 0.02, 0.05, 0.2), Random(1), "shelly.power")
    idle, after = window_ns((100.0, 260.0)), window_ns((580.0, 740.0))
    (figure,) = energy_of(taken, Windows(window_ns((262.0, 579.0)), idle, after), 1)
    assert figure.idle_before_w == pytest.approx(2.0, abs=0.01)
    assert figure.idle_after_w == pytest.approx(2.0, abs=0.01)


def test_the_window_to_ask_for_is_that_of_the_slowest_source() -> None:
    second = 10**9
    assert needed_window_ns([]) == needed_window_ns(["thermal", "meminfo@2"]) == 0
    assert needed_window_ns(["rapl", "thermal"]) == 10.5 * second
    assert needed_window_ns(["rapl@0.5"]) == 52.5 * second  # a hundred readings
    assert needed_window_ns(["rapl"], 200_000_000) == 21 * second
    assert needed_window_ns(["rapl", "nvml"]) == 21 * second
    assert needed_window_ns(["rpi_pmic@0.2", "ina3221"]) == 31.5 * second
    assert needed_window_ns(["ina2xx", "shelly@1=192.168.1.20"]) == 315 * second
    assert needed_window_ns(["tasmota@5=plug"]) == 525 * second
    assert needed_idle_ns(["ina3221"]) == 15.75 * second


@pytest.mark.parametrize(
    ("source", "interval_s"), [("rapl", 0.1), ("nvml", 0.1), ("rpi_pmic", 0.2), ("shelly", 1.0)]
)
def test_what_is_asked_for_is_enough(source: str, interval_s: float) -> None:
    specification = f"{source}@{interval_s}"
    measure_s, idle_s = needed_window_ns([specification]) / 1e9, needed_idle_ns([specification]) / 1e9
    noise = white(Random(1), 0.2, 0.05, measure_s + 2 * idle_s + 4)
    load = ((1 + idle_s, Constant(2.0)), (2 + idle_s + measure_s, Constant(7.0)), (1e9, Constant(2.0)))
    kind = "points" if source in ("rpi_pmic", "shelly") else "counter"
    for offset in (0.0, 0.3, 0.6, 0.9):
        schedule = Schedule(
            interval_s, 0.01, 0.01, offset * interval_s, missed=lambda number: number % 40 == 7
        )
        span = (0.0, measure_s + 2 * idle_s + 4)
        taken = lines(Sensor(Sum((noise, Phases(load))), kind), span, schedule, Random(4), f"{source}.x")
        starts = (1.0, 1.5 + idle_s, 2.5 + idle_s + measure_s)
        spans = [
            window_ns((start, start + length))
            for start, length in zip(starts, (idle_s, measure_s, idle_s), strict=True)
        ]
        (figure,) = energy_of(taken, Windows(spans[1], spans[0], spans[2]), 1)
        assert figure.reason is None and figure.net_reason is None


CASE = Case("board", "alpha", "model")


def _record(launch: int, *figures: Energy, status: Status = Status.OK) -> TrialRecord:
    return TrialRecord("t", CASE, launch, status, None, "process", "2026", 1, energy=figures)


def _energy(
    joules: float | None, net_j: float | None = None, scope: str = "board_input", **more: Any
) -> Energy:
    return Energy(
        "ina3221.A",
        scope,
        "sampled",
        30 * 10**9,
        300,
        more.pop("rate_hz", 10.0),
        more.pop("coverage", 1.0),
        100,
        gross_j=joules and joules * 100,
        uncertainty_j=joules and joules,
        gross_per_inference_j=joules,
        net_j=net_j and net_j * 100,
        net_per_inference_j=net_j,
        mean_w=joules and joules * 2,
        idle_w=net_j and 1.5,
        **more,
    )


def test_a_case_is_the_mean_over_launches_with_the_interval_between_them() -> None:
    records = [
        _record(1, _energy(1.0, 0.5, rate_hz=9.0)),
        _record(2, _energy(1.2, 0.6, coverage=0.97)),
        _record(3, _energy(1.1, 0.7)),
        _record(4, _energy(9.0, 9.0), status=Status.TIMEOUT),
    ]
    (case,) = case_energy(records)
    assert (case.launches, case.rate_hz, case.coverage, case.idle_w) == (3, 9.0, 0.97, 1.5)
    assert case.gross_per_inference_j == pytest.approx(1.1)
    assert case.mean_w == pytest.approx(2.2)
    assert case.uncertainty == pytest.approx(0.01)
    # Student's t of two degrees of freedom: 4.3027 x 0.1 / sqrt 3.
    assert case.gross_high_j == pytest.approx(1.1 + 0.24842, abs=1e-5)
    assert case.net_low_j == pytest.approx(0.6 - 0.24842, abs=1e-5)
    assert not case.calibrated
    assert case.reason is case.net_reason is case.interval_reason is None


def test_too_few_launches_have_a_mean_and_no_interval() -> None:
    (case,) = case_energy([_record(1, _energy(1.0)), _record(2, _energy(3.0, net_reason="no idle"))])
    assert case.gross_per_inference_j == 2.0
    assert case.gross_low_j is case.gross_high_j is case.net_per_inference_j is None
    assert case.interval_reason == "an interval needs at least 3 launches, this case has 2"
    assert case.net_reason == "no idle"


def test_scopes_stay_apart_and_a_missing_figure_keeps_its_reason() -> None:
    missing = _energy(None, scope="supply_rail", reason="stale", net_reason="stale")
    records = [_record(i, _energy(1.0 + i / 10), missing) for i in range(3)]
    board, rail = case_energy(records)
    assert (board.scope, rail.scope) == ("board_input", "supply_rail")
    assert rail == CaseEnergy("ina3221.A", "supply_rail", "sampled", 0, reason="stale", net_reason="stale")
    assert case_energy([]) == ()

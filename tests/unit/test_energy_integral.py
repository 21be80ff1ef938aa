"""Joules from readings: exact where power is a line, additive, and refused where readings are not enough."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import Energy
from orchestrator.energy import Windows, energy_of
from orchestrator.energy.integral import difference, trapezoid
from orchestrator.energy.series import series_of
from tests.support.power_traces import (
    Constant,
    Phases,
    Ramp,
    Schedule,
    Sensor,
    Spikes,
    Square,
    Steps,
    Sum,
    Trace,
    lines,
    ns,
    window_ns,
)

readings = st.lists(st.tuples(st.floats(0.01, 3), st.floats(0, 50)), min_size=3, max_size=30).map(
    lambda pairs: (
        [sum(gap for gap, _ in pairs[: i + 1]) for i in range(len(pairs))],
        [value for _, value in pairs],
    )
)
shares = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(sorted)


def _times(times_s: list[float], parts: list[float]) -> list[float]:
    return [times_s[0] + part * (times_s[-1] - times_s[0]) for part in parts]


@given(readings, shares)
def test_adjacent_windows_add_up(points: tuple[list[float], list[float]], parts: list[float]) -> None:
    times_s, values = points
    start_s, middle_s, end_s = _times(times_s, parts)
    totals = [sum(values[: i + 1]) for i in range(len(values))]
    for integrate, column in ((trapezoid, values), (difference, totals)):
        whole = integrate(times_s, column, start_s, end_s)
        halves = integrate(times_s, column, start_s, middle_s) + integrate(times_s, column, middle_s, end_s)
        assert halves == pytest.approx(whole, rel=1e-9, abs=1e-9)


@given(readings, shares, st.floats(0.1, 10), st.floats(-20, 20), st.floats(-1e3, 1e3))
def test_scale_and_shift_pass_through(
    points: tuple[list[float], list[float]], parts: list[float], scale: float, watts: float, later_s: float
) -> None:
    times_s, values = points
    start_s, _, end_s = _times(times_s, parts)
    joules = trapezoid(times_s, values, start_s, end_s)
    moved = trapezoid(
        [time_s + later_s for time_s in times_s],
        [scale * value + watts for value in values],
        start_s + later_s,
        end_s + later_s,
    )
    assert moved == pytest.approx(scale * joules + watts * (end_s - start_s), rel=1e-6, abs=1e-6)


@given(st.floats(0, 500), st.lists(st.floats(0.01, 3), min_size=3, max_size=30), shares)
def test_constant_power_is_exact(watts: float, gaps: list[float], parts: list[float]) -> None:
    times_s = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    start_s, _, end_s = _times(times_s, parts)
    expected = pytest.approx(watts * (end_s - start_s), rel=1e-9, abs=1e-9)
    assert trapezoid(times_s, [watts] * len(gaps), start_s, end_s) == expected
    counted = [1000 + watts * time_s for time_s in times_s]
    assert difference(times_s, counted, start_s, end_s) == pytest.approx(expected.expected, abs=1e-8)


@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=30), st.data())
def test_a_counter_between_two_of_its_readings_is_their_difference(rises: list[int], data: Any) -> None:
    totals = [sum(rises[: i + 1]) / 1024 for i in range(len(rises))]
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(rises) - 1)] * 2)))
    times_s = [float(i) for i in range(len(rises))]
    assert difference(times_s, totals, first, last) == totals[last] - totals[first]


LENGTH_S = 60.0
MEASURE = (10.0, 50.0)
WINDOWS = Windows(window_ns(MEASURE))
Lines = list[dict[str, Any]]


def _figure(trace: Trace, kind: str = "points", step: float = 0.0, **schedule: Any) -> Energy:
    spread = Schedule(**{"interval_s": 0.1, "jitter_s": 0.005, "width_s": 0.002, **schedule})
    taken = lines(Sensor(trace, kind, step=step), (0.0, LENGTH_S), spread, Random(1))
    (figure,) = energy_of(taken, WINDOWS, 400)
    return figure


ANALYTIC = {
    # Idle around it differs, or a constant would be a frozen sensor.
    "constant": Phases(((5.0, Constant(2.0)), (55.0, Constant(6.0)), (LENGTH_S, Constant(2.0)))),
    "ramp": Ramp(3.0, 0.2),
    "falling": Ramp(15.0, -0.2),
    "slow square": Square(2.0, 9.0, 7.337, 0.4, 0.2),
    "fast square": Square(4.0, 6.0, 0.0137, 0.5, 0.001),
    "spikes": Sum((Constant(5.0), Ramp(0, 0.001), Spikes(tuple(i * 0.83 for i in range(70)), 0.25, 3.0))),
    "steps": Steps(1.7, [3.0 + (i * 7) % 5 for i in range(40)]),
}


@pytest.mark.parametrize("name", ANALYTIC)
@pytest.mark.parametrize("kind", ["points", "counter"])
def test_analytic_traces_are_within_one_percent(name: str, kind: str) -> None:
    trace = ANALYTIC[name]
    figure = _figure(trace, kind)
    assert figure.reason is None
    assert figure.gross_j == pytest.approx(trace.energy_j(*MEASURE), rel=0.01)
    assert figure.mean_w == pytest.approx(trace.energy_j(*MEASURE) / 40, rel=0.01)
    assert figure.gross_per_inference_j == pytest.approx(trace.energy_j(*MEASURE) / 400, rel=0.01)
    assert figure.rate_hz == pytest.approx(10, rel=0.01)
    assert figure.coverage == 1.0


@pytest.mark.parametrize("name", ANALYTIC)
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("how", ["lost", "missed"])
@pytest.mark.parametrize("kind", ["points", "counter"])
def test_dropouts_stay_within_one_percent_or_are_unavailable(
    name: str, share: float, how: str, kind: str
) -> None:
    random = Random(f"{name} {share}")
    gone = {number for number in range(700) if random.random() < share}
    figure = _figure(ANALYTIC[name], kind, **{how: gone.__contains__})
    if figure.reason is None:
        assert figure.gross_j == pytest.approx(ANALYTIC[name].energy_j(*MEASURE), rel=0.01)
    else:
        assert figure.gross_j is figure.net_j is figure.uncertainty_j is None
        assert "without a reading" in figure.reason or "needed" in figure.reason


@pytest.mark.parametrize("gap", [3, 4])
def test_a_gap_of_more_than_three_intervals_is_unavailable(gap: int) -> None:
    figure = _figure(
        ANALYTIC["ramp"], jitter_s=0.0, width_s=0.0, lost=set(range(300, 299 + gap)).__contains__
    )
    assert (figure.reason is None) == (gap == 3)
    assert figure.max_gap_ns == gap * 100_000_000
    if figure.reason:
        assert figure.reason == (
            "0.40 s without a reading, at most 3 intervals of 0.10 s are allowed; 3 had no value: eagain"
        )


def test_coverage_below_95_percent_is_unavailable() -> None:
    # Of each five readings two are lost: a gap of three intervals, the middle of which no reading is near.
    figure = _figure(ANALYTIC["ramp"], jitter_s=0.0, width_s=0.0, lost=lambda number: number % 5 in (3, 4))
    assert figure.coverage == pytest.approx(0.8, abs=0.01)
    assert figure.reason == "readings cover 80% of the window, 95% are needed; 160 had no value: eagain"


@pytest.mark.parametrize("kind", ["points", "counter"])
@pytest.mark.parametrize(("late_s", "good"), [(0.2, True), (1.0, False)])
def test_telemetry_that_began_late(kind: str, late_s: float, good: bool) -> None:
    trace = ANALYTIC["ramp"]
    taken = lines(Sensor(trace, kind), (MEASURE[0] + late_s, LENGTH_S), Schedule(), Random(1))
    (figure,) = energy_of(taken, WINDOWS, 1)
    assert figure.max_gap_ns == round(late_s * 1e9)
    assert (figure.reason is None) == good
    if good:
        assert figure.coverage == pytest.approx(1 - (late_s - 0.1) / 40, abs=1e-6)
        assert figure.gross_j == pytest.approx(trace.energy_j(*MEASURE), rel=0.01)


def test_copies_and_clocks_that_jump_back_are_dropped_and_counted() -> None:
    taken = lines(Sensor(Ramp(1, 1)), (0.0, 5.0), Schedule(), Random(1))
    mixed = [*taken[:10], taken[9], taken[3], *taken[10:]]
    assert series_of(mixed).dropped == 2
    assert series_of(mixed).times_ns == series_of(taken).times_ns
    backwards = {**taken[10], "t0_ns": taken[10]["t1_ns"], "t1_ns": taken[10]["t0_ns"] - 1}
    assert series_of([*taken[:10], backwards, *taken[11:]]).dropped == 1


def test_what_is_no_number_is_a_gap() -> None:
    taken = lines(Sensor(Ramp(1, 1)), (0.0, 2.0), Schedule(), Random(1))
    for value in (float("nan"), float("inf"), None):
        changed = [*taken[:5], {**taken[5], "value": value}, *taken[6:]]
        series = series_of(changed)
        assert len(series.values) == len(taken) - 1
        assert series.interval_ns == series_of(taken).interval_ns
        assert series.dropped == 0


def test_a_frozen_power_is_stale() -> None:
    assert _figure(Constant(5.0)).reason == "stale"
    # A fine sensor that stops in the middle, told by its own readings before.
    wavering = Steps(0.1, [5 + 0.001 * ((i * 7919) % 101) for i in range(600)])
    stuck = Phases(((40.0, wavering), (LENGTH_S, Constant(5.0371))))
    assert _figure(wavering).reason is None
    assert _figure(stuck).reason == "stale"


def test_a_coarse_power_may_rest() -> None:
    quiet = Phases(((4.0, Constant(2.0)), (8.0, Constant(2.04)), (LENGTH_S, Constant(3.05))))
    figure = _figure(quiet, step=0.04)
    assert figure.reason is None
    # Half a step is what it may be off by, and it says so.
    assert figure.gross_j is not None and figure.uncertainty_j is not None
    assert abs(figure.gross_j - 3.05 * 40) < 1.96 * figure.uncertainty_j
    assert figure.uncertainty_j == pytest.approx(40 * 0.04 / 12**0.5, rel=0.1)


def test_a_counter_that_stands_still_or_falls() -> None:
    assert _figure(Phases(((9.0, Constant(4.0)), (LENGTH_S, Constant(0.0)))), "counter").reason == "stale"
    assert _figure(Phases(((30.0, Constant(4.0)), (LENGTH_S, Constant(0.0)))), "counter").reason == "stale"
    taken = lines(Sensor(Constant(4.0), "counter"), (0.0, LENGTH_S), Schedule(), Random(1))
    reset = [{**line, "value": line["value"] - 80} if line["t0_ns"] > ns(30) else line for line in taken]
    assert energy_of(reset, WINDOWS, 1)[0].reason == "the counter fell: it began anew inside the window"

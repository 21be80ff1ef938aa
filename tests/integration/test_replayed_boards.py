"""Power of known integral is played into the files of a board while a real runner runs: what is reported?

Runner, engine, telemetry program and orchestrator are the real ones; only what sensors show is made up. The
truth is the trace's own integral between the runner's marks. Takes about 70 seconds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import pytest

from orchestrator import wire
from orchestrator.domain import Energy, Status, Trial, TrialRecord
from orchestrator.energy import Windows, energy_of, requirement
from orchestrator.engines.launch import Target, Watch
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import execute
from orchestrator.measurement import Line, read_lines
from tests.support import doubles, plug_simulator
from tests.support import power_traces as traces
from tests.support import replayed_board as replayed
from tests.support.power_traces import Sensor, Trace
from tests.support.replayed_board import Board

pytestmark = [pytest.mark.slow, pytest.mark.quiet]

# The least that the boards' own sensors are asked for (orchestrator/energy/requirement.py), and a bit.
SETTINGS = replace(
    doubles.SHORT,
    min_duration_ns=31_000_000_000,
    idle_ns=15_500_000_000,
    idle_after_ns=15_500_000_000,
    timeout_s=120.0,
)
RUNNER = doubles.ROOT / "runners/fake/runner.py"
SLEEPING = {"latency_ns": "4000000", "wait": "sleep"}  # leaves the cores to whoever plays and reads
LENGTH_S = 90.0
# Load begins after the window has (the runner is ready for it within two seconds) and ends before it does.
LOAD_S, REST_S = 18.0, 46.0
NEAR = 0.01
# A load faster than a sensor looks is seen by chance: 1 of 16,000 figures is off by more than 4 of a
# normal distribution's standard deviations.
CHANCE = 4.0


def loaded(idle_w: float, load: Trace) -> Trace:
    """Idle, then a load, then idle again."""
    idle = traces.Constant(idle_w)
    return traces.Phases(((LOAD_S, idle), (REST_S, load), (float("inf"), idle)))


def noisy(idle_w: float, load: Trace, sigma_w: float, seed: int) -> Trace:
    """The same with the noise that every real sensor has; fixed by the seed."""
    noise = traces.white(Random(seed), sigma_w, 0.05, LENGTH_S)
    return traces.Sum((loaded(idle_w, load), noise))


STEADY = traces.Constant(18.0)
RAMP = traces.Ramp(4.0, 0.4)
SLOW_SQUARE = traces.Square(6.0, 22.0, 4.0, 0.5)
FAST_SQUARE = traces.Square(6.0, 22.0, 0.13, 0.4)
SPIKES = traces.Sum(
    (
        traces.Constant(8.0),
        traces.spikes(Random(1), each_s=0.5, width_s=0.02, height_w=40.0, length_s=LENGTH_S),
    )
)

TRACES: dict[str, Trace] = {
    "rapl.package-0": loaded(5.0, STEADY),
    "rapl.package-1": loaded(5.0, RAMP),
    "rapl.psys": loaded(5.0, SLOW_SQUARE),
    "rapl.dram-0": loaded(3.0, SPIKES),
    "rapl.dram-1": loaded(2.0, FAST_SQUARE),
    "ina2xx.steady": noisy(5.0, STEADY, 0.05, 11),
    "ina2xx.ramp": noisy(5.0, RAMP, 0.05, 12),
    "ina2xx.slow-square": noisy(5.0, SLOW_SQUARE, 0.05, 13),
    "ina2xx.fast-square": noisy(5.0, FAST_SQUARE, 0.05, 14),
    "ina2xx.spikes": noisy(5.0, SPIKES, 0.05, 15),
    "ina2xx.blinks": noisy(5.0, STEADY, 0.05, 16),
    "ina2xx.flickers": noisy(5.0, STEADY, 0.05, 17),
    "ina2xx.leaves": noisy(5.0, STEADY, 0.05, 18),
    "ina2xx.freezes": noisy(5.0, STEADY, 0.05, 19),
    "ina2xx.babbles": noisy(5.0, STEADY, 0.05, 20),
    "ina3221.POM_5V_IN": noisy(2.2, traces.Constant(7.5), 0.06, 21),
    "ina3221.VDD_IN": noisy(4.7, traces.Ramp(5.0, 0.15), 0.03, 22),
    "ina3221.VDD_SOC": noisy(1.4, traces.Constant(2.0), 0.01, 23),
    "rpi_pmic.sum": noisy(1.8, traces.Constant(6.2), 0.02, 24),
    "shelly.energy": noisy(9.0, traces.Constant(31.0), 0.1, 25),
}
COUNTERS = ("rapl.package-0", "rapl.package-1", "rapl.psys", "rapl.dram-0", "rapl.dram-1")
RESOLVED = (
    "ina2xx.steady",
    "ina2xx.ramp",
    "ina2xx.blinks",
    "ina3221.POM_5V_IN",
    "ina3221.VDD_IN",
    "rpi_pmic.sum",
)
# Each with the most its uncertainty is of its energy. Over 1,500 simulated sets of readings at other moments
# 99.9 % of uncertainties lie below 0.55, 4.2 and 5.7 %, and the errors scatter by 0.53, 3.8 and 4.2 %.
UNRESOLVED = {"ina2xx.slow-square": 0.006, "ina2xx.fast-square": 0.045, "ina2xx.spikes": 0.06}


class Socket(plug_simulator.Load):
    """What a plug sees of a trace; it looks once a second and counts whole milliwatt-hours."""

    def __init__(self, board: Board, trace: Trace) -> None:
        self._board = board
        self._watts = Sensor(trace, update_s=1.0, step=0.1)
        self._joules = Sensor(trace, "counter", update_s=1.0, step=3.6)

    def read(self) -> tuple[float, float]:
        now_s = self._board.now()
        return self._watts.value(now_s), self._joules.value(now_s)


def equip(board: Board) -> replayed.Firmware:
    """Every sensor with its trace, some with a fault."""

    def counter(name: str) -> Sensor:
        return Sensor(TRACES[name], "counter")

    # This one comes round to 0 in the middle of the load.
    wrap_uj = 262143328850 - round(1e6 * TRACES["rapl.package-0"].energy_j(0, (LOAD_S + REST_S) / 2))
    replayed.rapl(board, "intel-rapl:0", "package-0", counter("rapl.package-0"), start_uj=wrap_uj)
    replayed.rapl(board, "intel-rapl:0:2", "dram", counter("rapl.dram-0"))
    replayed.rapl(board, "intel-rapl:1", "psys", counter("rapl.psys"))
    replayed.rapl(board, "intel-rapl:2", "package-1", counter("rapl.package-1"))
    replayed.rapl(board, "intel-rapl:2:0", "dram", counter("rapl.dram-1"))
    path = replayed.rapl(board, "intel-rapl:3", "package-2", counter("rapl.package-0"))
    board.play(path, replayed.stuck(lambda t_s: b"%016d\n" % 10**9, 0.0))
    flickers = [(20.0 + 0.5 * i, 20.19 + 0.5 * i) for i in range(40)]
    faults = {
        "ina2xx.blinks": partial(replayed.during, [(30.0, 30.06)], replayed.gone),
        "ina2xx.flickers": partial(replayed.during, flickers, replayed.gone),
        "ina2xx.leaves": partial(replayed.during, [(25.0, 29.0)], replayed.gone),
        "ina2xx.freezes": partial(replayed.stuck, from_s=26.0),
        "ina2xx.babbles": partial(replayed.during, [(25.0, 60.0)], replayed.garbage),
    }
    chips = [name for name in TRACES if name.startswith("ina2xx.")]
    for number, name in enumerate(chips, 10):
        label = name.partition(".")[2]
        fault = faults.get(name, lambda show: show)
        replayed.ina2xx(board, number, label, Sensor(TRACES[name], step=0.0005), fault)
    replayed.ina3221_iio(board, "POM_5V_IN", Sensor(TRACES["ina3221.POM_5V_IN"], "average", 0.0066, 0.04))
    replayed.ina3221_hwmon(board, 1, "VDD_IN", Sensor(TRACES["ina3221.VDD_IN"], "average", 0.0066))
    replayed.ina3221_hwmon(board, 3, "VDD_SOC", Sensor(TRACES["ina3221.VDD_SOC"], "average", 0.0066))
    firmware = replayed.Firmware(board)
    firmware.pmic(Sensor(TRACES["rpi_pmic.sum"]))
    return firmware


@dataclass(frozen=True)
class Played:
    """One launch beside a board, and what the board played meanwhile."""

    board: Board
    record: TrialRecord
    lines: list[Line]
    windows: Windows

    def figure(self, source: str) -> Energy:
        """What the record says of a source."""
        (found,) = [energy for energy in self.record.energy if energy.source == source]
        return found

    def gross_j(self, source: str) -> float:
        """The truth between the runner's marks."""
        assert self.windows.measure
        return TRACES[source].energy_j(*self.board.window(self.windows.measure))

    def idle_w(self, source: str) -> float:
        """The truth: the mean of both idle windows."""
        assert self.windows.idle and self.windows.idle_after
        spans = [self.board.window(marks) for marks in (self.windows.idle, self.windows.idle_after)]
        return sum(TRACES[source].energy_j(*span) / (span[1] - span[0]) for span in spans) / 2

    def net_j(self, source: str) -> float:
        """The truth of gross less idle."""
        return self.gross_j(source) - self.idle_w(source) * self.figure(source).window_ns / 1e9


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """All traces at once, in one launch of the double."""
    board = Board("i5-desktop", tmp_path_factory.mktemp("replayed"))
    raw = tmp_path_factory.mktemp("raw")
    with pytest.MonkeyPatch.context() as patch, board:
        firmware = equip(board)
        patch.setenv("PATH", f"{firmware.folder}:/usr/bin:/bin")
        socket = Socket(board, TRACES["shelly.energy"])
        with plug_simulator.plug(plug_simulator.shelly, socket) as address:
            sources = ("rapl@0.1", "ina2xx@0.1", "ina3221@0.1", "rpi_pmic@0.2", f"shelly@0.25={address}")
            engine = replayed.Rooted(ProcessEngine(doubles.ROOT, raw), board.root)
            conditions = replace(doubles.conditions_of(engine, SETTINGS), watch=Watch(1.0, sources))
            target = Target("fake", f"{sys.executable}\0{RUNNER}")
            trial = Trial(doubles.case(**SLEEPING), 0)
            record = execute(trial, doubles.load(), target, conditions, raw)
    assert (record.status, record.reason) == (Status.OK, None)
    with (raw / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    windows = Windows(*(transcript.window(name) for name in ("measure", "idle", "idle_after")))
    assert windows.measure and windows.idle_after
    began_s, ended_s = board.window(windows.measure)
    assert began_s < LOAD_S and ended_s > REST_S, "the load is to lie in the window"
    yield Played(board, record, read_lines(raw / "telemetry.jsonl"), windows)


@pytest.mark.parametrize("source", [*COUNTERS, *RESOLVED])
def test_gross_and_net_energy_are_the_integrals(played: Played, source: str) -> None:
    found = played.figure(source)
    assert (found.reason, found.net_reason) == (None, None)
    assert found.gross_j == pytest.approx(played.gross_j(source), rel=NEAR)
    assert found.idle_w == pytest.approx(played.idle_w(source), rel=NEAR)
    assert found.net_j == pytest.approx(played.net_j(source), rel=NEAR)
    assert found.net_j is not None and found.gross_j is not None and found.net_j < 0.9 * found.gross_j
    assert found.uncertainty_j is not None and found.uncertainty_j < NEAR * found.gross_j
    assert played.record.latency and found.gross_per_inference_j == pytest.approx(
        found.gross_j / played.record.latency.count
    )


@pytest.mark.parametrize("source", UNRESOLVED)
def test_what_a_sensor_is_too_slow_for_lies_within_its_uncertainty(played: Played, source: str) -> None:
    found = played.figure(source)
    assert found.gross_j is not None and found.uncertainty_j is not None and found.net_j is not None
    assert abs(found.gross_j - played.gross_j(source)) < CHANCE * found.uncertainty_j
    assert (
        found.net_uncertainty_j and abs(found.net_j - played.net_j(source)) < CHANCE * found.net_uncertainty_j
    )
    assert found.uncertainty_j < UNRESOLVED[source] * found.gross_j, (
        "an uncertainty that says nothing covers everything"
    )


def test_a_drop_out_of_one_reading_costs_nothing_and_longer_ones_the_figure(played: Played) -> None:
    assert played.record.telemetry["ina2xx.blinks"]["reasons"].keys() <= {"no_sensor"}
    for source, why in (
        ("ina2xx.leaves", r"4\.\d\d s without a reading, .* had no value: no_sensor"),
        ("ina2xx.flickers", r"without a reading|readings cover \d\d% of the window, 95% are needed"),
        ("ina2xx.babbles", r"\d\d readings, 100 are needed; \d{3} had no value: parse"),
    ):
        found = played.figure(source)
        assert (found.gross_j, found.net_j, found.gross_per_inference_j) == (None, None, None)
        assert found.reason and re.search(why, found.reason), found.reason
        assert found.coverage < 0.95
    assert played.record.telemetry["ina2xx.leaves"]["reasons"].keys() == {"no_sensor"}
    assert played.record.telemetry["ina2xx.babbles"]["reasons"].keys() == {"parse"}


def test_a_value_that_stands_still_is_no_figure(played: Played) -> None:
    assert (played.figure("ina2xx.freezes").gross_j, played.figure("ina2xx.freezes").reason) == (
        None,
        "stale",
    )
    still = played.figure("rapl.package-2")
    assert still.gross_j is None and still.reason and still.reason.endswith("had no value: stale")
    assert played.record.telemetry["rapl.package-2"]["reason"] == "stale"


def test_a_counter_came_round_inside_the_window(played: Played) -> None:
    """What the file shows fell below what was counted; the figure, which is right, did not notice."""
    shown_uj = int((played.board.root / "sys/class/powercap/intel-rapl:0/energy_uj").read_bytes())
    values = [line["value"] for line in played.lines if line.get("source") == "rapl.package-0"]
    assert values == sorted(values)
    assert 0 < shown_uj / 1e6 < 0.7 * values[-1]


def test_a_rail_read_once_a_second_says_what_it_lacks(played: Played) -> None:
    reason = played.figure("ina3221.VDD_SOC").reason
    assert reason and re.fullmatch(r"3\d readings, 100 are needed: ENERGY=1", reason)


def test_a_plug_needs_five_minutes(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "shelly.energy"
    assert played.figure(source).reason == "window 31.0 s, Shelly needs 300 s: ENERGY=1"
    # The same readings under a rule that lets a window of this length pass.
    brief = replace(requirement.FAMILIES["shelly"], least_ns=30_000_000_000)
    monkeypatch.setitem(requirement.FAMILIES, "shelly", brief)
    assert played.record.latency
    figures = energy_of(played.lines, played.windows, played.record.latency.count)
    (found,) = [figure for figure in figures if figure.source == source]
    assert found.gross_j is not None and found.uncertainty_j is not None
    assert abs(found.gross_j - played.gross_j(source)) < CHANCE * found.uncertainty_j
    assert found.uncertainty_j < 0.05 * found.gross_j

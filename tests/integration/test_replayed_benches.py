"""A whole bench on a board that plays power, and a real runtime in a container beside one.

Takes about 110 seconds. A reading that comes late is a gap, and a gap has no joules: nothing else may run.
"""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator import bench, wire
from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog
from orchestrator.cli import main
from orchestrator.domain import Status, Trial
from orchestrator.engines.launch import Watch
from orchestrator.engines.place import Place, here
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import execute
from orchestrator.store import Run
from tests.support import containers, doubles
from tests.support import power_traces as traces
from tests.support import replayed_board as replayed
from tests.support.power_traces import Constant, Sensor, Trace
from tests.support.replayed_board import Board, Rooted

pytestmark = [pytest.mark.slow, pytest.mark.quiet]

IDLE_W = 4.0
LAUNCHES_W = (19.2, 20.0, 20.8)
DEVICE = "x86"
RECORDED = "i5-desktop"
NEAR = 0.01
BENCH = ["bench", "--device", DEVICE, "--energy", "--quick", "--launches", "3", "--runtimes", "fake"]
BENCH += ["--models", "digits-cnn", "--option", "fake.latency_ns=4000000", "--option", "fake.wait=sleep"]


class Course:
    """What the board takes in each launch: idle until the window has begun, then a load that ends in time."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.played: dict[str, list[Trace]] = {"package-0": [], "psys": []}
        self.begin(0)  # the sensors are there before anything is launched
        for launches in self.played.values():
            launches.clear()

    def begin(self, number: int) -> None:
        """Each launch takes another power."""
        load_s, load_w = self.board.now() + 7.5, LAUNCHES_W[number % len(LAUNCHES_W)]
        for zone, (name, launches) in enumerate(self.played.items()):
            idle, load = Constant(IDLE_W + 7 * zone), Constant(load_w + 7 * zone)
            trace = traces.Phases(((load_s, idle), (load_s + 7.0, load), (math.inf, idle)))
            launches.append(trace)
            replayed.rapl(self.board, f"intel-rapl:{zone}", name, Sensor(trace, "counter"))


def staged(board: Board, engine: Rooted) -> bench.Stage:
    """What a bench runs on: the real profile, with the machine's files below the board's root."""
    place = Place(board.root, "x86_64", here().cores)
    return bench.Stage(place, Catalog(doubles.ROOT).devices()[DEVICE], engine, {}, (), lambda text: None)


def transcript_of(raw: Path) -> wire.Transcript:
    """What a runner said."""
    with (raw / "transcript.jsonl").open("rb") as stream:
        return wire.read(stream)


def idle_w(board: Board, trace: Trace, transcript: wire.Transcript) -> float:
    """The truth: the mean of both idle windows."""
    marks = [transcript.window(name) for name in ("idle", "idle_after")]
    spans = [board.window(mark) for mark in marks if mark]
    assert len(spans) == 2
    return sum(trace.energy_j(*span) / (span[1] - span[0]) for span in spans) / 2


def test_a_bench_ends_with_joules_that_hold_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(RECORDED, tmp_path)
    course, folder = Course(board), tmp_path / "run"
    engine = Rooted(ProcessEngine(doubles.ROOT, cache_root()), board.root, course.begin)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # a lock of its own
    monkeypatch.setattr(bench, "stage", lambda *order: nullcontext(staged(board, engine)))
    with board:
        result = CliRunner().invoke(main, [*BENCH, "--results", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    run = Run.open(folder)
    records = list(run.records())
    assert [record.status for record in records] == [Status.OK] * len(LAUNCHES_W)

    printed = " ".join(result.output.split())
    for column in ("cpu_package gross", "cpu_package net", "platform gross", "platform net"):
        assert column in printed, result.output
    assert "energy by rapl.package-0: scope cpu_package, counter, 10 readings a second" in printed
    report = CliRunner().invoke(main, ["report", str(folder), "--format", "json"], catch_exceptions=False)
    (row,) = json.loads(report.stdout)["cases"]
    for name, played in course.played.items():
        gross, net = [], []
        for number, (record, trace) in enumerate(zip(records, played, strict=False)):
            transcript = transcript_of(run.raw(number))
            window = transcript.window("measure")
            assert window and record.latency
            gross_j = trace.energy_j(*board.window(window))
            net_j = gross_j - idle_w(board, trace, transcript) * (window[1] - window[0]) / 1e9
            (figure,) = [one for one in record.energy if one.source == f"rapl.{name}"]
            assert figure.gross_j == pytest.approx(gross_j, rel=NEAR)
            assert figure.net_j == pytest.approx(net_j, rel=NEAR)
            gross.append(gross_j / record.latency.count)
            net.append(net_j / record.latency.count)
        (told,) = [one for one in row["energy"] if one["source"] == f"rapl.{name}"]
        assert told["launches"] == len(LAUNCHES_W)
        for kind, truths in (("gross", gross), ("net", net)):
            assert told[f"{kind}_per_inference_j"] == pytest.approx(sum(truths) / len(truths), rel=NEAR)
            # The launch in the middle takes what launches take on average; the others lie 4 % off.
            assert told[f"{kind}_low_j"] < truths[1] < told[f"{kind}_high_j"]
            width = told[f"{kind}_high_j"] - told[f"{kind}_low_j"]
            assert width < 6 * (max(truths) - min(truths)), "an interval that holds everything says nothing"


@pytest.mark.docker
@pytest.mark.runtimes
def test_a_real_runtime_in_a_container_is_charged_what_the_board_took(tmp_path: Path) -> None:
    board = Board(RECORDED, tmp_path)
    trace = traces.Phases(((8.0, Constant(IDLE_W)), (14.0, Constant(26.0)), (math.inf, Constant(IDLE_W))))
    replayed.rapl(board, "intel-rapl:0", "package-0", Sensor(trace, "counter"))
    engine = Rooted(containers.engine(), board.root)
    target = engine.prepare(Catalog(doubles.ROOT).runtimes()["onnxruntime"], lambda text: None)
    settings = replace(
        doubles.SHORT,
        min_duration_ns=10_200_000_000,
        max_iterations=10_000_000,
        idle_ns=5_200_000_000,
        idle_after_ns=5_200_000_000,
        timeout_s=90.0,
    )
    conditions = replace(doubles.conditions_of(engine, settings), watch=Watch(1.0, ("rapl@0.1",)))
    case = replace(doubles.case(), runtime="onnxruntime")
    raw = tmp_path / "raw"
    raw.mkdir()
    board.restart()
    with board:
        record = execute(Trial(case, 0), doubles.load(), target, conditions, raw)
    assert (record.status, record.reason) == (Status.OK, None)
    transcript = transcript_of(raw)
    (figure,) = [one for one in record.energy if one.source == "rapl.package-0"]
    window = transcript.window("measure")
    assert window and record.latency and record.latency.count > 1000
    gross_j = trace.energy_j(*board.window(window))
    assert figure.gross_j == pytest.approx(gross_j, rel=NEAR)
    net_j = gross_j - idle_w(board, trace, transcript) * (window[1] - window[0]) / 1e9
    assert figure.net_j == pytest.approx(net_j, rel=NEAR)

"""A whole bench on a board that plays power and heat: what its command prints and its report repeats.

Takes about two minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orchestrator import bench, wire
from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog, Cooldown
from orchestrator.cli import main
from orchestrator.domain import CaseEnergy, Severity, Status, Trial, TrialRecord
from orchestrator.engines.launch import Watch
from orchestrator.engines.place import Place, here
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import execute
from orchestrator.plan import Plan
from orchestrator.session import Session, header
from orchestrator.store import Run
from tests.support import containers, doubles
from tests.support import power_traces as traces
from tests.support import replayed_board as replayed
from tests.support.power_traces import Constant, Sensor
from tests.support.replayed_board import Board, Rooted

pytestmark = pytest.mark.slow

IDLE_W = 4.0
LAUNCHES_W = (19.2, 20.0, 20.8)  # speed modes of a board: their mean is what a launch takes
DEVICE = "x86"
RECORDED = "i5-desktop"
SLEEPING = ("--option", "fake.latency_ns=20000000", "--option", "fake.wait=sleep")


def records_of(folder: Path) -> list[tuple[TrialRecord, wire.Transcript]]:
    """Each trial of a run with what its runner said."""
    run = Run.open(folder)
    found = []
    for number, record in enumerate(run.records()):
        with (run.raw(number) / "transcript.jsonl").open("rb") as stream:
            found.append((record, wire.read(stream)))
    return found


def said(*words: str) -> str:
    """What a command prints; it must end well."""
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def staged(board: Board, engine: Rooted) -> Callable[..., AbstractContextManager[bench.Stage]]:
    """``bench.stage`` of a board whose files lie below its root; the profile is the real one."""
    place = Place(board.root, "x86_64", here().cores)
    device = Catalog(doubles.ROOT).devices()[DEVICE]
    stage = bench.Stage(place, device, engine, {}, (), lambda text: None)
    return lambda *arguments: nullcontext(stage)


def test_a_bench_ends_with_joules_that_hold_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(RECORDED, tmp_path)
    played: dict[str, list[traces.Trace]] = {"rapl.package-0": [], "rapl.psys": []}

    def begin(number: int) -> None:
        """Idle until the window has begun, and again before it ends; each launch at another power."""
        watts, start_s = LAUNCHES_W[number % len(LAUNCHES_W)], board.now()
        for (name, launches), zone, more_w in zip(played.items(), ("0", "1"), (0.0, 7.0), strict=True):
            idle, load = Constant(IDLE_W + more_w), Constant(watts + more_w)
            trace = traces.Phases(((start_s + 7.5, idle), (start_s + 14.5, load), (float("inf"), idle)))
            launches.append(trace)
            label = name.partition(".")[2]
            replayed.rapl(board, f"intel-rapl:{zone}", label, Sensor(trace, "counter"))

    begin(0)
    engine = Rooted(ProcessEngine(doubles.ROOT, cache_root()), board.root, begin)
    monkeypatch.setattr(bench, "stage", staged(board, engine))
    folder = tmp_path / "run"
    words = ["bench", "--device", DEVICE, "--energy", "--quick", "--launches", "3", "--runtimes", "fake"]
    with board:
        result = CliRunner().invoke(
            main, [*words, "--models", "digits-cnn", *SLEEPING, "--results", str(folder)]
        )
    assert result.exit_code == 0, result.output
    for trace_list in played.values():
        del trace_list[0]  # before the first launch
    assert result.output.count("cpu_package") and "net" in result.output
    assert "energy by rapl.package-0: scope cpu_package, counter" in " ".join(result.output.split())

    found = records_of(folder)
    assert [record.status for record, _ in found] == [Status.OK] * 3
    document = json.loads(said("report", str(folder), "--format", "json"))
    (row,) = document["cases"]
    for source, launches in played.items():
        (case,) = [CaseEnergy(**one) for one in row["energy"] if one["source"] == source]
        truths = []
        for (record, transcript), trace in zip(found, launches, strict=False):
            gross_j = trace.energy_j(*board.window(transcript.window("measure") or (0, 0)))
            (figure,) = [one for one in record.energy if one.source == source]
            assert figure.gross_j == pytest.approx(gross_j, rel=0.01)
            assert record.latency
            truths.append(gross_j / record.latency.count)
        assert case.launches == 3 and case.gross_per_inference_j is not None
        assert case.gross_low_j is not None and case.gross_high_j is not None
        middle_j = truths[1]  # the launch at the mean of all powers
        assert case.gross_low_j < middle_j < case.gross_high_j
        assert case.gross_per_inference_j == pytest.approx(sum(truths) / 3, rel=0.01)
        # Student's t of three launches, 4 % apart: wide, but no wider than they are.
        assert 0.02 < (case.gross_high_j - case.gross_low_j) / case.gross_per_inference_j < 0.4
        assert case.net_per_inference_j is not None and case.net_low_j is not None
        idle_j = (
            case.idle_w and case.idle_w * found[1][0].energy[0].window_ns / 1e9 / found[1][0].latency.count
        )  # type: ignore[union-attr]
        assert case.net_per_inference_j == pytest.approx(middle_j - (idle_j or 0), rel=0.02)


@pytest.mark.docker
@pytest.mark.runtimes
def test_a_real_runtime_in_a_container_is_charged_what_the_board_took(tmp_path: Path) -> None:
    board = Board(RECORDED, tmp_path)
    trace = traces.Phases(((8.0, Constant(IDLE_W)), (14.0, Constant(26.0)), (float("inf"), Constant(IDLE_W))))
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
    with (raw / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    (figure,) = [one for one in record.energy if one.source == "rapl.package-0"]
    window, idles = transcript.window("measure"), [transcript.window(n) for n in ("idle", "idle_after")]
    assert window and all(idles)
    gross_j = trace.energy_j(*board.window(window))
    assert figure.gross_j == pytest.approx(gross_j, rel=0.01)
    spans = [board.window(idle) for idle in idles if idle]
    idle_w = sum(trace.energy_j(*span) / (span[1] - span[0]) for span in spans) / 2
    assert figure.net_j == pytest.approx(gross_j - idle_w * figure.window_ns / 1e9, rel=0.01)
    assert record.latency and record.latency.count > 1000

"""From a study and a request to steps; budgets; two exports at a time; what goes on and what begins anew."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import InferometerError
from orchestrator.plan import FULL, QUICK
from orchestrator.study import folder
from orchestrator.study.gain import gain
from orchestrator.study.making import Clock, make
from orchestrator.study.steps import Request, Step, Way, instance, lines, seconds, to_json, way
from tests.support.studies import Runtimes, path, report, study


def planned(tmp_path: Path, request: Request) -> Way:
    return way(study(tmp_path), request, Runtimes("tflite", "onnxruntime"))  # type: ignore[arg-type]


def test_a_whole_study_takes_its_own_data(tmp_path: Path) -> None:
    steps = planned(tmp_path, Request())
    assert steps.models == ("alpha@cifar10", "beta@cifar10")
    assert steps.variants == ("nq", "fiq", "kd", "wcl")
    assert [(step.model, step.variants, step.seed) for step in steps.repeated] == [
        ("alpha@cifar10", ("nq", "kd"), seed) for seed in (1, 2, 3, 4)
    ]


def test_a_smoke_run_takes_digits_and_small_networks(tmp_path: Path) -> None:
    steps = planned(tmp_path, Request("smoke"))
    assert steps.models == ("alpha@digits~smoke",)
    assert steps.data == ("digits",) and steps.repeated == ()


def test_the_baseline_stays_and_the_order_is_the_studys(tmp_path: Path) -> None:
    steps = planned(tmp_path, Request(models=("beta",), variants=("wcl", "fiq"), runtimes=("onnxruntime",)))
    assert steps.models == ("beta@cifar10",)
    assert steps.variants == ("nq", "fiq", "wcl")
    assert steps.runtimes == ("onnxruntime",) and steps.repeated == ()


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (Request(models=("gamma",)), "unknown model of two 'gamma'"),
        (Request(variants=("f32",)), "unknown variant of two 'f32'"),
        (Request(runtimes=("tensorrt",)), "unknown runtime of two 'tensorrt'"),
        (Request(data=("cifar11",)), "unknown data 'cifar11'"),
        (Request("smoke", data=("digits",)), "--data: a smoke run is on digits; leave one of the two out"),
        (Request("tiny"), "unknown scale 'tiny'; leave it out, or use smoke"),
    ],
)
def test_an_unknown_name_is_refused(tmp_path: Path, request_: Request, complaint: str) -> None:
    with pytest.raises(InferometerError, match=complaint):
        planned(tmp_path, request_)


def test_ids() -> None:
    assert instance("resnet50", "cifar10", "smoke") == "resnet50@cifar10~smoke"
    assert instance("resnet50", None, None) == "resnet50"


@pytest.mark.parametrize(("text", "value"), [("2h", 7200), ("90m", 5400), ("60s", 60), ("1d", 86400)])
def test_budgets(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "2", "h", "59s", "31d", "-2h", "2 h", "1.5h", "٢h", "2H"])
def test_budgets_that_are_none(text: str) -> None:
    with pytest.raises(InferometerError, match="give a budget from 1m to 30d"):
        seconds(text)


def test_the_plan_is_told(tmp_path: Path) -> None:
    steps = planned(tmp_path, Request())
    told = lines(steps)
    assert told[0] == "export alpha@cifar10: nq, fiq, kd, wcl"
    assert told[-1] == "bench 8 networks and variants in tflite, onnxruntime, then report"
    assert json.loads(json.dumps(to_json(steps)))["fingerprint"] == steps.fingerprint()


def test_another_wish_is_another_way(tmp_path: Path) -> None:
    whole = planned(tmp_path, Request()).fingerprint()
    assert whole == planned(tmp_path, Request(budget_s=60.0)).fingerprint()  # more time, the same study
    assert whole != planned(tmp_path, Request("smoke")).fingerprint()
    assert whole != planned(tmp_path, Request(models=("beta",))).fingerprint()


STEPS = [Step(f"net{number}", ("nq", "fiq")) for number in range(5)]


def test_two_exports_run_at_a_time_and_every_failure_is_kept() -> None:
    running, most, said = set(), [0], []
    lock = threading.Lock()

    def maker(step: Step, budget_s: float | None) -> Mapping[str, str]:
        with lock:
            running.add(step)
            most[0] = max(most[0], len(running))
        time.sleep(0.05)
        with lock:
            running.discard(step)
        if step.model == "net3":
            raise InferometerError("no memory")
        return {"fiq": "no calibration"} if step.model == "net1" else {}

    failed = make(STEPS, maker, None, 2, said.append)
    assert most == [2]
    assert failed[STEPS[1]] == {"fiq": "no calibration"}
    assert failed[STEPS[3]] == {"nq": "no memory", "fiq": "no memory"}
    assert failed[STEPS[0]] == {}
    assert sum("left" in line for line in said) == 4 and said[-1].startswith("[5/5]")
    assert any("1 of 2 variants are there; fiq: no calibration" in line for line in said)


def test_an_interrupt_begins_no_further_export() -> None:
    begun = []

    def maker(step: Step, budget_s: float | None) -> Mapping[str, str]:
        begun.append(step)
        if step.model == "net1":
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        make(STEPS, maker, None, 1, lambda text: None)
    assert [step.model for step in begun] == ["net0", "net1"]


def test_an_interrupted_wait_ends_what_is_under_way() -> None:
    begun, ended = threading.Event(), threading.Event()

    def maker(step: Step, budget_s: float | None) -> Mapping[str, str]:
        begun.set()
        ended.wait(30)  # an export under way
        return {}

    def interrupt() -> None:
        begun.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        make(STEPS[:2], maker, None, 2, lambda text: None, ended.set)
    assert ended.is_set()


@given(st.floats(60, 1e6), st.integers(1, 20), st.integers(1, 4))
def test_shares_never_give_more_than_there_is(budget_s: float, steps: int, at_a_time: int) -> None:
    clock = Clock(budget_s, steps, at_a_time)
    shares = [clock.share_s() for _ in range(steps)]
    assert all(share is not None and 0 <= share <= budget_s for share in shares)
    assert shares[0] == pytest.approx(budget_s / max(1.0, steps / at_a_time), rel=0.01)


def test_no_budget_is_no_limit() -> None:
    assert Clock(None, 3, 1).share_s() is None


def test_the_same_command_goes_on_and_a_finished_study_begins_anew(tmp_path: Path) -> None:
    steps, results = path(tmp_path), tmp_path / "results"
    first = folder.choose(results, steps, "x86", {"engine": "docker"})
    assert folder.choose(results, steps, "x86", {"engine": "docker"}) == first
    assert folder.choose(results, steps, "x86", {"engine": "process"}) != first
    folder.record(first, {"seconds": 1.0})
    files = folder.write(first, report())
    assert [file.name for file in files][:3] == ["report.md", "report.csv", "report.json"]
    assert all(file.exists() for file in files)
    assert "](figure-1-latency-of-alpha-alpha-cifar10.svg)" in (first / "report.md").read_text("utf-8")
    assert folder.choose(results, steps, "x86", {"engine": "docker"}) != first


def test_a_bench_goes_on_with_the_same_files_alone(tmp_path: Path) -> None:
    made = {("net", "nq"): {"artifacts": [{"sha256": "a"}]}, ("net", "fiq"): "no memory"}
    first = folder.bench(tmp_path, made, QUICK)
    assert first.parent == tmp_path and folder.bench(tmp_path, {**made}, QUICK) == first
    assert folder.bench(tmp_path, {**made, ("net", "fiq"): "no time"}, QUICK) == first
    assert folder.bench(tmp_path, {**made, ("net", "fiq"): {"artifacts": [{"sha256": "b"}]}}, QUICK) != first
    assert folder.bench(tmp_path, made, FULL) != first


def test_a_damaged_record_is_begun_anew_beside_it(tmp_path: Path) -> None:
    steps, results = path(tmp_path), tmp_path / "results"
    first = folder.choose(results, steps, "x86", {})
    (first / "study.json").write_text("{")
    assert folder.choose(results, steps, "x86", {}) != first
    with pytest.raises(InferometerError, match=r"study.json: unreadable"):
        folder.record(first, {})


def test_results_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(InferometerError, match="cannot be made"):
        folder.choose(tmp_path / "results", path(tmp_path), "x86", {})


def test_a_gain_that_every_seed_shows_helps() -> None:
    found = gain("net", "kd", "nq", [(seed, 0.93 + seed / 1000, 0.92 + seed / 1100) for seed in range(5)])
    assert found["mean_points"] == pytest.approx(1.02, abs=0.01)
    assert found["verdict"].startswith("helps") and found["low_points"] > 0


def test_a_gain_within_noise_is_none() -> None:
    found = gain("net", "kd", "nq", [(0, 0.93, 0.92), (1, 0.91, 0.92), (2, 0.92, 0.92), (3, 0.94, 0.92)])
    assert found["verdict"] == "no gain shown: the interval holds 0"


def test_a_loss_is_told() -> None:
    found = gain("net", "kd", "nq", [(seed, 0.90 + seed / 1000, 0.92) for seed in range(4)])
    assert found["verdict"].startswith("hurts")


def test_two_seeds_are_no_verdict_and_a_missing_one_is_said() -> None:
    found = gain("net", "kd", "nq", [(0, 0.93, 0.92), (1, None, 0.92), (2, 0.93, 0.92)])
    assert found["verdict"] == "no verdict: 2 pairs of trainings, an interval needs 3"
    assert found["left_out"] == [1] and found["low_points"] is None

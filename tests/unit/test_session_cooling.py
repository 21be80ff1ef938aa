"""A session waits before each trial, and its records say how; nothing waits where there is no policy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator import cooling, environment
from orchestrator.catalog import Cooldown
from orchestrator.domain import Case, Status, TrialRecord
from orchestrator.engines.launch import Watch
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import _heat
from orchestrator.store import Run
from orchestrator.wire import Transcript
from tests.support import doubles
from tests.support.heat import SECOND, Machine, reading
from tests.support.results import record
from tests.support.schemas import check


class Sensing(ProcessEngine):
    """The real engine on a machine whose sensors follow a script."""

    machine = Machine({"thermal.cpu": lambda _: 45.0})

    def sense(self, sources):  # type: ignore[no-untyped-def]
        return self.machine.sense(sources)


@pytest.mark.parametrize("policy", [Cooldown(3, 60), None])
def test_a_session_waits_before_each_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: Cooldown | None
) -> None:
    engine = Sensing(doubles.ROOT, tmp_path)
    engine.machine = Machine({"thermal.cpu": lambda _: 45.0})
    monkeypatch.setattr(cooling, "GLANCE_S", 0.01)
    conditions = replace(
        doubles.conditions_of(engine), cooldown=policy, watch=Watch(0.05, ("thermal", "load"))
    )
    session = doubles.session_of(
        doubles.plan_of([doubles.case(), doubles.case(spread="0.1")]), conditions, tmp_path
    )
    run = Run.create(tmp_path / "run", {"plan": {}})
    session.run(run)
    found = [item.cooldown for item in run.records()]
    if policy is None:
        assert found == [None, None]
        assert engine.machine.asked == []
        return
    for item in found:
        assert item is not None
        assert (item["baseline_c"], item["start_c"], item["hot"]) == (
            {"thermal.cpu": 45.0},
            {"thermal.cpu": 45.0},
            None,
        )
    for item in run.records():
        check("trial", json.loads(json.dumps(item.to_json())))


def measured(**fields: object) -> TrialRecord:
    return record(Case("board", "fake", "m"), 0, [100] * 50, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 1),
        ({"emulated": True}, 0),
        ({"status": Status.CRASHED}, 0),
        ({"telemetry": {"telemetry": {"reason": "boot id differs: a, b", "interval_ns": 1}}}, 0),
    ],
)
def test_heat_is_judged_where_the_window_is_one(fields: dict[str, object], count: int) -> None:
    transcript = Transcript()
    transcript.marks["measure"] = [5 * SECOND, 9 * SECOND]
    lines = [reading("vcgencmd.throttled", 0x4, "bits", 6 * SECOND)]
    found = _heat(measured(**fields), transcript, lines, doubles.conditions_of(None).place)  # type: ignore[arg-type]
    assert len(found) == count


@pytest.mark.parametrize(
    ("arch", "files", "expected"),
    [
        ("x86_64", {}, True),
        ("aarch64", {}, False),
        ("x86_64", {"intel_pstate/no_turbo": "1"}, False),
        ("x86_64", {"intel_pstate/no_turbo": "0"}, True),
        ("x86_64", {"cpufreq/boost": "0"}, False),
        ("aarch64", {"cpufreq/boost": "1"}, True),
    ],
)
def test_whether_the_highest_clock_is_a_promise(
    tmp_path: Path, arch: str, files: dict[str, str], expected: bool
) -> None:
    for name, text in files.items():
        path = tmp_path / "sys/devices/system/cpu" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert environment.boosts(arch, tmp_path) is expected

"""Before a trial: waits for what is hot, and for nothing else."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import Cooldown
from orchestrator.cooling import LOST_S, SAY_S, STALL_S, Cooling
from orchestrator.domain import InferometerError
from orchestrator.findings import trial_findings
from orchestrator.store import Run
from tests.support.heat import Body, Machine
from tests.support.results import case, record, window

POLICY = Cooldown(3, 600)
SOURCES = ("cgroup", "process", "thermal", "hwmon@2", "vcgencmd", "nvml@0.1=x", "rapl", "cpufreq")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", {"plan": {}})


def cooling(machine: Machine, run: Run, policy: Cooldown = POLICY) -> Cooling:
    return Cooling(machine.sense, SOURCES, policy, run, machine.say, machine.now, machine.sleep)


def waited(made: Cooling, machine: Machine) -> tuple[dict[str, Any] | None, float]:
    """What a wait gave, and how long it took in s."""
    began = machine.now_s
    return made.wait(), machine.now_s - began


def test_a_quiet_machine_is_not_slowed_down(run: Run) -> None:
    noise = random.Random(1)
    cpu = lambda _: round(45 + noise.gauss(0, 0.3), 1)  # noqa: E731
    machine = Machine({"thermal.cpu": cpu, "thermal.PMIC-Die": lambda _: 100.0})
    made = cooling(machine, run)
    found, took_s = waited(made, machine)
    assert took_s < 1.3
    assert found is not None and found["hot"] is None
    for _ in range(50):
        found, took_s = waited(made, machine)
        assert took_s < 0.1
        assert found is not None
        assert found["waited_ns"] == pytest.approx(took_s * 1e9)
    assert machine.said == []


def test_only_thermometers_are_asked_as_the_profile_spells_them(run: Run) -> None:
    machine = Machine({"thermal.cpu": lambda _: 45.0})
    cooling(machine, run).wait()
    assert set(machine.asked) == {("thermal", "hwmon@2", "vcgencmd", "nvml@0.1=x")}


def test_a_hot_machine_is_waited_for_and_the_watcher_told(run: Run) -> None:
    body = Body()
    machine = Machine({"thermal.cpu-thermal": body})
    made = cooling(machine, run)
    made.wait()
    body.heat(70.0, machine.now_s)
    found, took_s = waited(made, machine)
    assert took_s == pytest.approx(60 * math.log(25 / 3), abs=4)  # tau ln(excess / band)
    assert found is not None
    assert found["hot"] is None
    assert found["start_c"]["thermal.cpu-thermal"] <= 48.0
    assert machine.said[0][1] == "cooling down: thermal.cpu-thermal 70.0 C, waits for 48.0 C"
    times = [at for at, _ in machine.said]
    assert all(later - earlier >= SAY_S for earlier, later in zip(times, times[1:], strict=False))
    assert len(machine.asked) < took_s / 2 + 5  # every two seconds at most


def test_what_does_not_cool_in_time_begins_hot_and_says_so(run: Run) -> None:
    body = Body(tau_s=10_000.0)
    machine = Machine({"thermal.cpu": body, "thermal.gpu": lambda _: 40.0})
    made = cooling(machine, run, Cooldown(3, 100))
    made.wait()
    body.heat(70.0, machine.now_s)
    found, took_s = waited(made, machine)
    assert took_s == pytest.approx(100, abs=0.2)
    assert found is not None
    assert found["hot"].startswith("thermal.cpu 69.8 C after waiting 100 s, 24.8 C above the run's baseline")
    values = window(10e6, 0)
    (finding,) = trial_findings(record(case(), 0, values, cooldown=found), values)
    assert (finding.code, finding.message) == ("hot_start", found["hot"])


@pytest.mark.parametrize("seed", range(40))
def test_every_ramp_above_the_band_is_waited_for_or_told(run: Run, seed: int) -> None:
    draw = random.Random(seed)
    body = Body(tau_s=draw.uniform(5, 2000))
    machine = Machine({"thermal.cpu": body})
    made = cooling(machine, run, Cooldown(3, 120))
    made.wait()
    body.heat(45 + draw.uniform(3.2, 45), machine.now_s)
    found, _ = waited(made, machine)
    assert found is not None
    assert (found["hot"] is not None) == (found["start_c"]["thermal.cpu"] > 48.0)
    assert found["waited_ns"] > 10**6


def test_temperatures_settle_before_the_baseline_is_taken(run: Run) -> None:
    machine = Machine({"thermal.cpu": Body(80.0, 45.0, tau_s=25.0)})
    found, took_s = waited(cooling(machine, run), machine)
    assert found is not None
    assert 20 <= took_s < 200
    assert found["baseline_c"]["thermal.cpu"] < 48.0
    assert machine.said[0][1] == "letting temperatures settle: thermal.cpu 78.5 C"


def test_settling_ends_at_the_timeout(run: Run) -> None:
    machine = Machine({"thermal.cpu": lambda now: 2000.0 - 1.5 * now})
    _, took_s = waited(cooling(machine, run, Cooldown(3, 50)), machine)
    assert took_s == pytest.approx(50, abs=3)


def test_noise_of_a_degree_does_not_keep_a_machine_from_settling(run: Run) -> None:
    times = []
    for seed in range(100):
        noise = random.Random(seed)
        machine = Machine({"hwmon.package": lambda _, draw=noise.gauss: round(45 + draw(0, 1.0))})
        made = cooling(machine, Run.create(run.folder / str(seed), {}))
        times.append(waited(made, machine)[1])
    assert max(times) < 60
    assert sum(time < 2 for time in times) > 60


def test_a_resumed_run_has_the_same_baseline(run: Run) -> None:
    body = Body()
    machine = Machine({"thermal.cpu": body})
    cooling(machine, run).wait()
    body.heat(60.0, machine.now_s)
    found, took_s = waited(cooling(machine, Run.open(run.folder)), machine)
    assert found is not None
    assert found["baseline_c"] == {"thermal.cpu": 45.0}
    assert took_s > 60


def test_a_baseline_taken_hot_is_lowered_by_two_colder_readings(run: Run) -> None:
    values = iter([60.0, 60.0, 60.0, 50.0, 49.0, 49.0])
    machine = Machine({"thermal.cpu": lambda _: next(values)})
    made = cooling(machine, run)
    found = made.wait()
    assert found is not None and found["baseline_c"] == {"thermal.cpu": 60.0}
    found = made.wait()
    assert found is not None and found["baseline_c"] == {"thermal.cpu": 60.0}  # one may be a glitch
    found = made.wait()
    assert found is not None and found["baseline_c"] == {"thermal.cpu": 50.0}
    assert json.loads((run.folder / "baseline.json").read_bytes())["baseline_c"] == {"thermal.cpu": 50.0}


def test_one_glitch_after_resuming_lowers_nothing(run: Run) -> None:
    run.write_baseline({"baseline_c": {"thermal.cpu": 45.0}, "reason": None})
    found = cooling(Machine({"thermal.cpu": lambda _: 0.0}), run).wait()
    assert found is not None and found["baseline_c"] == {"thermal.cpu": 45.0}


def test_a_machine_without_sensors_waits_for_nothing_and_says_why_once(run: Run) -> None:
    machine = Machine({"thermal": lambda _: "no_sensor", "hwmon": lambda _: "no_sensor"})
    made = cooling(machine, run)
    for _ in range(3):
        assert waited(made, machine) == (None, pytest.approx(0.0, abs=0.06))
    reason = "no temperature sensor (hwmon no_sensor, thermal no_sensor)"
    assert run.baseline() == {"baseline_c": {}, "reason": reason}
    assert [text for _, text in machine.said] == [f"trials do not wait for the machine to cool: {reason}"]
    assert cooling(machine, Run.open(run.folder)).wait() is None
    assert len(machine.asked) == 1
    assert len(machine.said) == 1


def test_no_thermometer_in_the_profile_is_no_sensor(run: Run) -> None:
    machine = Machine({"thermal.cpu": lambda _: 45.0})
    made = Cooling(machine.sense, ("cgroup",), POLICY, run, machine.say, machine.now, machine.sleep)
    assert made.wait() is None
    assert machine.asked == []


def some(failing: Callable[[float], bool], value: Callable[[float], float], word: str = "eagain") -> Any:
    return lambda now: word if failing(now) else value(now)


def test_a_sensor_that_fails_now_and_then_is_still_waited_for(run: Run) -> None:
    for seed in range(20):
        noise, body = random.Random(seed), Body()
        machine = Machine(
            {
                "thermal.cpu": some(lambda _, draw=noise.random: draw() < 0.4, body),
                "thermal.cv0": lambda _: None,
            }
        )
        made = cooling(machine, Run.create(run.folder / str(seed), {}))
        made.wait()
        body.heat(70.0, machine.now_s)
        found, took_s = waited(made, machine)
        assert found is not None
        assert (found["hot"], set(found["start_c"])) == (None, {"thermal.cpu"})
        if found["start_c"]["thermal.cpu"] is not None:
            assert took_s > 100


def test_a_sensor_that_appears_later_begins_with_what_it_says_first(run: Run) -> None:
    machine = Machine(
        {"thermal.cpu": lambda _: 45.0, "thermal.gpu": some(lambda now: now < 1010, lambda _: 50.0)}
    )
    made = cooling(machine, run)
    made.wait()
    machine.sleep(20)
    found = made.wait()
    assert found is not None and found["baseline_c"] == {"thermal.cpu": 45.0, "thermal.gpu": 50.0}


def test_a_sensor_that_vanishes_is_not_waited_for(run: Run) -> None:
    body = Body(tau_s=10_000.0)
    machine = Machine({"thermal.cpu": lambda _: 45.0, "nvml.0.temperature": body})
    made = cooling(machine, run)
    made.wait()
    body.heat(70.0, machine.now_s)
    gone_s = machine.now_s + 30
    machine.sensors["nvml.0.temperature"] = some(lambda now: now > gone_s, body, "no_sensor")
    found, took_s = waited(made, machine)
    assert 30 < took_s < 30 + LOST_S + 3
    assert found is not None
    assert found["start_c"] == {"thermal.cpu": 45.0, "nvml.0.temperature": None}
    assert found["hot"] is None
    assert waited(made, machine)[1] < 0.1


def test_a_stuck_sensor_costs_one_stall_and_each_trial_tells_it(run: Run) -> None:
    body = Body()
    machine = Machine({"thermal.cpu": body, "thermal.bad": lambda now: 45.0 if now < 1010 else 90.0})
    made = cooling(machine, run)
    made.wait()
    machine.sleep(20)
    found, took_s = waited(made, machine)
    assert took_s == pytest.approx(STALL_S, abs=5)
    assert found is not None and "thermal.bad 90.0 C" in found["hot"]
    body.heat(70.0, machine.now_s)
    found, took_s = waited(made, machine)
    assert took_s > 100  # the others are still waited for
    assert found is not None and "thermal.bad 90.0 C" in found["hot"]
    assert waited(made, machine)[1] < 0.1


def test_a_room_that_grew_warmer_does_not_cost_every_trial_the_timeout(run: Run) -> None:
    body = Body()
    machine = Machine({"thermal.cpu": body})
    made = cooling(machine, run)
    made.wait()
    body.room_c = 52.0
    took = []
    for _ in range(5):
        body.heat(70.0, machine.now_s)
        found, took_s = waited(made, machine)
        took.append(took_s)
        assert found is not None and found["hot"] is not None
    assert took[0] < 60 * math.log(18 / 0.1) + STALL_S + 5
    assert max(took[1:]) < 60 * math.log(18 / 3) + 5


def test_an_interrupt_ends_the_wait_and_the_next_run_goes_on(run: Run) -> None:
    body = Body()
    machine = Machine({"thermal.cpu": body})
    made = cooling(machine, run)
    made.wait()
    body.heat(70.0, machine.now_s)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    made._sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        made.wait()
    found = cooling(machine, Run.open(run.folder)).wait()
    assert found is not None and found["hot"] is None


def test_an_interrupt_while_settling_stores_nothing(run: Run) -> None:
    machine = Machine({"thermal.cpu": Body(80.0)})
    made = cooling(machine, run)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    made._sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        made.wait()
    assert run.baseline() is None


def test_a_damaged_baseline_is_named(run: Run) -> None:
    (run.folder / "baseline.json").write_text("{}")
    with pytest.raises(InferometerError, match=r"baseline\.json: unreadable"):
        cooling(Machine({}), run).wait()

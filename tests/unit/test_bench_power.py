"""A bench and its power sources: what windows they need, and going on with a run that has begun."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import bench, power
from orchestrator.cases import Order
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines.place import here
from orchestrator.plan import Wish
from orchestrator.session import Session
from orchestrator.store import Run
from tests.support.doubles import Quiet

CATALOG = Catalog(suite_root())
PLUG = "http://192.0.2.1"
WISH = Wish("", models=("digits-cnn",), runtimes=("fake",))


class Sensing:
    """An engine whose machine has a GPU, a processor and perhaps a plug."""

    name = "process"

    def __init__(self) -> None:
        self.answers: dict[str, float | str] = {"rapl": 5.0, "shelly": 12.0, "nvml": "no_sensor"}

    def sense(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        names = [source.partition("=")[0].partition("@")[0] for source in sources]
        lines = [{"type": "fix", "source": "nvml.x", "reason": "no_sensor", "fix": "install it"}]
        for name, value in self.answers.items():
            told = (
                {"value": None, "reason": value}
                if isinstance(value, str)
                else {"value": value, "reason": None}
            )
            line = {"type": "reading", "source": f"{name}.x", "unit": "w", "t0_ns": 0, "t1_ns": 10**6, **told}
            lines += [line] if name in names else []
        return lines

    def clean(self) -> list[str]:
        return []


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sensing:
    found = Sensing()
    device = CATALOG.devices()["x86"]
    stage = bench.Stage(here(), device, found, {}, (), lambda text: None)  # type: ignore[arg-type]
    monkeypatch.setattr(bench, "stage", lambda *order: nullcontext(stage))
    monkeypatch.setattr(Session, "run", lambda self, run: None)  # killed before its first trial
    monkeypatch.setattr(power, "PAUSE_S", 0.0)
    monkeypatch.chdir(tmp_path)
    return found


def begin(tmp_path: Path, **wish: Any) -> tuple[Run, Session, list[str]]:
    order, watcher = Order(replace(WISH, **wish), quick=True), Quiet()
    run, session = bench.perform(CATALOG, tmp_path, order, watcher)
    return run, session, watcher.said


def window_s(session: Session) -> float:
    return session.conditions.settings.min_duration_ns / 1e9


def test_a_run_goes_on_with_the_windows_and_sources_that_it_began_with(
    engine: Sensing, tmp_path: Path
) -> None:
    run, first, _ = begin(tmp_path, energy=True)
    assert window_s(first) == 10.5
    engine.answers["nvml"] = 40.0  # its module was installed meanwhile
    again, second, said = begin(tmp_path, energy=True)
    assert (again.folder, second.plan, second.conditions) == (run.folder, first.plan, first.conditions)
    assert said[0].startswith(f"resuming {run.folder}")
    assert first.conditions.watch and "rapl@0.1" in first.conditions.watch.sources
    assert not [source for source in first.conditions.watch.sources if source.startswith("nvml")]


def test_a_plug_that_is_down_stops_a_run_that_began_with_it(engine: Sensing, tmp_path: Path) -> None:
    run, first, _ = begin(tmp_path, energy=True, meters=(PLUG,))
    assert window_s(first) == 315
    engine.answers["shelly"] = "timeout"
    with pytest.raises(
        InferometerError, match="^shelly was readable when this run began, now: timeout; mend it"
    ):
        begin(tmp_path, energy=True, meters=(PLUG,))
    engine.answers["shelly"] = 9.0
    assert begin(tmp_path, energy=True, meters=(PLUG,))[0].folder == run.folder


def test_without_energy_windows_are_short_and_the_sources_still_have_to_answer(
    engine: Sensing, tmp_path: Path
) -> None:
    run, first, _ = begin(tmp_path)
    assert window_s(first) == 0.5
    assert begin(tmp_path)[0].folder == run.folder
    engine.answers["rapl"] = "permission"
    with pytest.raises(InferometerError, match="rapl was readable when this run began, now: permission"):
        begin(tmp_path)


def test_another_wish_is_another_run(engine: Sensing, tmp_path: Path) -> None:
    wishes: list[dict[str, Any]] = [
        {},
        {"energy": True},
        {"meters": (PLUG,)},
        {"energy": True, "meters": (PLUG,)},
    ]
    folders = []
    for wish in wishes:
        run = begin(tmp_path, **wish)[0]
        run.folder.rename(tmp_path / f"results/{len(folders)}-x")  # within one second names repeat
        folders.append(begin(tmp_path, **wish)[0].folder.name)
    assert folders == ["0-x", "1-x", "2-x", "3-x"]


def test_a_meter_that_fails_is_refused_before_anything_is_measured(engine: Sensing, tmp_path: Path) -> None:
    engine.answers["shelly"] = "timeout"
    with pytest.raises(InferometerError, match=f"^--meter {PLUG} gives no power: shelly.x: timeout$"):
        begin(tmp_path, meters=(PLUG,))
    assert not list((tmp_path / "results").glob("*"))


def test_a_damaged_settings_field_is_named(engine: Sensing, tmp_path: Path) -> None:
    run, _, _ = begin(tmp_path)
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    del content["plan"]["settings"]["idle_ns"]
    path.write_text(json.dumps(content))
    with pytest.raises(InferometerError, match="field plan.settings is damaged"):
        begin(tmp_path)

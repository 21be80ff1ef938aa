"""Doctor tells whether there will be joules, and whether trials can wait for the machine to cool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.doctor import Check, examine_all
from orchestrator.doctor.sensors import sensors

SOURCES = ("rapl@0.1", "nvml@0.1", "thermal", "cpufreq")


def reading(source: str, unit: str, value: float | None, reason: str | None = None) -> dict[str, Any]:
    line = {"type": "reading", "source": source, "unit": unit, "value": value, "reason": reason}
    return {**line, "t0_ns": 1000, "t1_ns": 2000}


def told(*lines: dict[str, Any]) -> dict[str, Check]:
    def sense(sources: Sequence[str]) -> list[dict[str, Any]]:
        heads = [source.partition("@")[0] for source in sources]
        assert "cpufreq" not in heads
        return [line for line in lines if line["source"].partition(".")[0] in heads]

    return {check.name: check for check in sensors(sense, SOURCES, lambda _: None)}


def test_what_answers_is_named_once() -> None:
    found = told(
        reading("rapl.package-0", "j", 1.0),
        reading("rapl.psys", "j", 1.0),
        reading("nvml.0.power", "w", None, "no_sensor"),
        reading("nvml.0.temperature", "c", 40.0),
        reading("thermal.cpu", "c", 41.0),
        reading("thermal.gpu", "c", None, "eagain"),
    )
    assert found == {
        "power": Check("power", "ok", "rapl"),
        "temperature": Check("temperature", "ok", "nvml, thermal"),
    }


FIX = {"type": "fix", "source": "rapl.package-0", "reason": "permission", "fix": "sudo chmod a+r FILE"}


@pytest.mark.parametrize(
    ("reason", "fix"),
    [("permission", "sudo chmod a+r FILE"), ("no_sensor", "use a plug: METER=http://ADDRESS")],
)
def test_what_does_not_answer_has_its_reason_and_a_way_on(reason: str, fix: str) -> None:
    found = told(
        FIX,
        reading("rapl.package-0", "j", None, reason),
        reading("rapl.psys", "j", None, reason),
        reading("nvml", "w", None, "no_sensor"),
        reading("thermal", "c", None, "no_sensor"),
    )
    assert found["power"] == Check("power", "warning", f"none: rapl {reason}, nvml no_sensor", fix)
    cold = found["temperature"]
    assert (cold.state, cold.detail) == ("warning", "none: trials will not wait for the machine to cool")
    assert cold.fix


def test_a_telemetry_that_says_nothing_is_none() -> None:
    assert told()["power"].detail.startswith("none: telemetry gave no reading")
    assert sensors(lambda _: [], ())[0].detail == "none: this device's profile names no power source"
    assert [check.state for check in sensors(lambda _: [], ())] == ["warning", "warning"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the SDK forgets a socket where no engine answers
def test_this_machine_is_asked_and_a_board_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.doctor.examine_board", lambda *_: [])
    names = {
        host: [check.name for check in examine_all(Catalog(suite_root()), tmp_path, "", host, False)]
        for host in (None, "ssh://board")
    }
    assert names[None][-2:] == ["power", "temperature"]
    assert "power" not in names["ssh://board"]

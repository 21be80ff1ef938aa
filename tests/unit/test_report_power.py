"""What a report says of power sources that did not answer, and of joules that are missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.domain import Energy
from orchestrator.engines.process import ProcessEngine
from orchestrator.power import EMULATED, NO_SOURCE, Power
from orchestrator.report.document import conclude
from orchestrator.report.notes import power_lines
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles
from tests.support.schemas import check

SOME = Power(("rapl@0.1",), {"nvml": {"reason": "no_sensor", "fix": "install it"}})
NONE = replace(SOME, readable=())
REASON = "window 0.5 s, RAPL needs 10 s: ENERGY=1"


def run_of(folder: Path) -> Run:
    """A real run of one trial."""
    plan = doubles.plan_of([doubles.case()])
    identity = {"suite": "1.0.0", "device": "board", "machine": None, "engine": "process"}
    content = {
        **header(plan, {**identity, "emulated": False, "forced": None}, {}),
        "created_utc": "2026-11-20T20:15:00+00:00",
        "least_launches": 1,
    }
    run = Run.create(folder / "run", content)
    engine = ProcessEngine(doubles.ROOT, folder)
    doubles.session_of(plan, doubles.conditions_of(engine), folder).run(run)
    return run


def concluded(run: Run, power: Power | None, asked: dict[str, Any], gross_j: float | None) -> dict[str, Any]:
    """Its document, had it asked for this, found these sources and read RAPL."""
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    content["plan"]["wish"].update(asked)
    content["power"] = power and power.to_json()
    path.write_text(json.dumps(content))
    (record,) = run.records()
    figure = Energy("rapl.psys", "platform", "counter", 5 * 10**8, 5, 10.0, 1.0, 10**8)
    figure = replace(
        figure, gross_j=gross_j, gross_per_inference_j=gross_j, reason=None if gross_j else REASON
    )
    told = replace(record, energy=(figure, replace(figure, source="rapl.package-0")))
    run.trials_path.write_text(json.dumps(told.to_json()) + "\n")
    document = conclude(run)
    check("summary", document)
    return document


def power_findings(document: dict[str, Any]) -> dict[str, str]:
    """Code -> message, of power."""
    (row,) = document["cases"]
    wanted = ("no_power_source", "energy_unavailable")
    return {one["code"]: one["message"] for one in row["findings"] if one["code"] in wanted}


def test_what_a_run_says_of_its_power_sources(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    asked, quiet = {"energy": True, "meters": []}, {"energy": False, "meters": []}

    document = concluded(run, SOME, asked, None)
    assert document["run"]["power"] == {
        "asked": True,
        "readable": ["rapl@0.1"],
        "refused": ["nvml: no_sensor (install it)"],
    }
    assert power_findings(document) == {"energy_unavailable": f"rapl.psys, rapl.package-0: {REASON}"}
    assert power_lines([document["run"]]) == ["no energy from nvml: no_sensor (install it)"]
    other = {**document["run"], "name": "other"}
    assert power_lines([document["run"], other])[1].startswith("no energy of other from nvml")

    # With joules there is nothing to complain about but what did not answer.
    document = concluded(run, SOME, asked, 0.1)
    assert (power_findings(document), len(power_lines([document["run"]]))) == ({}, 1)
    # A plug that was named is a wish for joules; nobody who did not ask is told.
    named = {"energy": False, "meters": ["http://192.0.2.1"]}
    assert "energy_unavailable" in power_findings(concluded(run, SOME, named, None))
    document = concluded(run, SOME, quiet, None)
    assert (power_findings(document), power_lines([document["run"]])) == ({}, [])

    # Without any source a finding says why, though something was read in vain, and no line repeats it.
    for power, why in (
        (NONE, "nvml: no_sensor (install it)"),
        (Power(why=EMULATED), EMULATED),
        (Power(), NO_SOURCE),
    ):
        document = concluded(run, power, asked, None)
        assert power_findings(document) == {"no_power_source": why}
        assert power_lines([document["run"]]) == []
    # A run of an older version.
    document = concluded(run, None, quiet, None)
    assert (document["run"]["power"], power_lines([document["run"]])) == (None, [])

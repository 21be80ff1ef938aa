"""A field of a results folder changed by hand, at any depth: a normal end, or one line that names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.power import Power
from orchestrator.store import Run
from tests.support.damage import ANYTHING, Place, changed, paths, told
from tests.support.finished import finished_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Finished, with a power source that refused and facts as a bench writes them."""
    made = finished_run(tmp_path_factory.mktemp("damaged"))
    content = header(made)
    content["power"] = Power((), {"nvml": {"reason": "no_sensor", "fix": None}}).to_json()
    content["environment"] = {**content["environment"], "reasons": {"board": "absent"}, "memory_cgroup": True}
    content["identity"] = {**content["identity"], "tuned": {"aslr": "off"}, "runtimes": {"alpha": "image"}}
    (made.folder / "run.json").write_text(json.dumps(content))
    return made


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Run:
    """One to damage."""
    return Run(Path(shutil.copytree(run.folder, tmp_path / "run")))


def header(run: Run) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.folder / "run.json").read_bytes())
    return content


def lines(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.trials_path.read_bytes().splitlines()]


def write(run: Run, name: str, content: Any) -> None:
    """``content`` in place of the file's own."""
    text = json.dumps(content) if name == "run.json" else "".join(f"{json.dumps(one)}\n" for one in content)
    (run.folder / name).write_text(text)


FILES: dict[str, Callable[[Run], Any]] = {"run.json": header, "trials.jsonl": lines}


def commands(run: Run) -> Iterator[tuple[str, ...]]:
    """What reads a finished run."""
    folder = str(run.folder)
    yield "report", folder, "--format", "json"
    yield "run-status", folder
    yield "cite", folder
    yield "watch", folder, "--json"
    yield "reproduce", folder, "--dry-run"


@given(st.data(), ANYTHING, st.sampled_from(sorted(FILES)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere(copy: Run, run: Run, data: st.DataObject, value: object, name: str) -> None:
    whole = FILES[name](run)
    place: Place = data.draw(st.sampled_from(list(paths(whole))))
    write(copy, name, changed(whole, place, value))
    try:
        for words in commands(copy):
            told(*words)
    finally:
        write(copy, name, whole)


@pytest.mark.parametrize(
    ("name", "place", "value", "complaint"),
    [
        (
            "run.json",
            ("plan", "settings", "launches"),
            "x",
            'run.json: field plan.settings.launches: "x" is not',
        ),
        ("run.json", ("identity", "tuned"), 3, "run.json: field identity.tuned: 3 is not of type"),
        ("run.json", ("power", "refused", "nvml"), {}, "run.json: field power.refused.nvml:"),
        ("trials.jsonl", (0, "launch"), None, "trials.jsonl: line 1 is no trial record (field launch: null"),
        ("trials.jsonl", (1, "wall_ns"), [], "trials.jsonl: line 2 is no trial record (field wall_ns: [] is"),
    ],
)
def test_the_line_names_file_field_and_fix(
    copy: Run, name: str, place: Place, value: Any, complaint: str
) -> None:
    write(copy, name, changed(FILES[name](copy), place, value))
    line = told("report", str(copy.folder), "--format", "json")
    assert line
    assert complaint in line
    assert "from a copy" in line

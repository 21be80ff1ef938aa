"""200 folders become one comparison: nothing is lost, and every conflict is named with both sides at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain import InferometerError, Skip
from orchestrator.merge import join, summary_document
from orchestrator.report.comparison import merge_folders
from orchestrator.report.document import load
from tests.support.results import artifact, case, header, summary

FOLDERS = 200
NEWER = {  # fields of later versions, which this one does not know
    "run": {"invented": {"asked_s": 1200, "spent_s": 1180.5}},
    "cases": {"invented": [{"code": "memory_bound"}]},
}


def write(
    parent: Path, change: Callable[[int, dict[str, Any]], None] = lambda number, made: None
) -> list[Path]:
    """One folder for each board, each with a finding, a failed case, an unknown figure and a skip."""
    rows = [
        summary(case("pytorch", device="board-000"), 1e7, launches=2),
        summary(case(device="board-000"), None),
    ]
    skip = Skip(case("tensorrt", device="board-000"), "board-000 has no NVIDIA GPU")
    made = summary_document(header("run", "board-000"), rows, [artifact()], [skip])
    made["run"].update(NEWER["run"])
    for row in made["cases"]:
        row.update(NEWER["cases"])
    text = json.dumps(made)
    folders = []
    for number in range(FOLDERS):
        document = json.loads(text.replace("board-000", f"board-{number:03d}"))
        document["run"]["machine"] = f"{number:064x}"
        change(number, document)
        folder = parent / f"run-{number:03d}"
        folder.mkdir()
        (folder / "summary.json").write_text(json.dumps(document))
        folders.append(folder)
    return folders


def test_nothing_is_lost(tmp_path: Path) -> None:
    folders = write(tmp_path)
    assert merge_folders(folders, tmp_path / "all.json") == 2 * FOLDERS
    merged = json.loads((tmp_path / "all.json").read_bytes())
    for folder, run in zip(folders, merged["runs"], strict=True):
        told = json.loads((folder / "summary.json").read_bytes())
        assert run == {**told["run"], "name": str(folder)}
        rows = [row for row in merged["cases"] if row["run"] == str(folder)]
        assert rows == [{**row, "run": str(folder)} for row in told["cases"]]
        assert all(skip in merged["skips"] for skip in told["skips"])
    assert len(merged["skips"]) == FOLDERS
    assert merged["artifacts"] == [{**artifact(), "runs": list(map(str, folders))}]
    assert load(tmp_path / "all.json") == merged


def another_board(made: dict[str, Any], device: str) -> None:
    made["run"]["device"] = device
    for item in (*made["cases"], *made["skips"]):
        item["case"]["device"] = device


def twice(made: dict[str, Any]) -> None:
    another_board(made, "board-007")
    made["run"]["machine"] = f"{7:064x}"
    del made["cases"][1:]


def other_machine(made: dict[str, Any]) -> None:
    another_board(made, "board-007")


def other_artifact(made: dict[str, Any]) -> None:
    made["artifacts"][0]["sha256"] = "c" * 64


def emulated(made: dict[str, Any]) -> None:
    for row in made["cases"]:
        row["emulated"] = True


def other_protocol(made: dict[str, Any]) -> None:
    made["run"]["protocol"] = "2.0.0"


def other_schema(made: dict[str, Any]) -> None:
    made["schema"] = 99


CONFLICTS = {
    twice: r"case board-007/\S+ is in \S+run-007 and in \S+run-120; merge only one of them",
    other_machine: r"device board-007 is one machine in \S+run-120 and another in \S+run-007; .*",
    other_artifact: r"resnet50/nq/b1 in onnx is artifact c{12} in \S+run-120 but a{12} in \S+run-000; .*",
    emulated: r"\S+run-120 ran under emulation and \S+run-000 did not: .*",
    other_protocol: r"protocol 2.0.0 in \S+run-120 but 1.0.0 in \S+run-000; .*",
    other_schema: r"\S+run-120/summary.json: field schema is 99, this version reads 1 to \d; .*",
}


@pytest.mark.parametrize("plant", CONFLICTS, ids=lambda plant: plant.__name__)
def test_each_conflict_is_named_with_both_sides(tmp_path: Path, plant: Any) -> None:
    folders = write(tmp_path, lambda number, made: plant(made) if number == 120 else None)
    with pytest.raises(InferometerError) as caught:
        merge_folders(folders, tmp_path / "all.json")
    assert re.match(CONFLICTS[plant], str(caught.value))
    assert not (tmp_path / "all.json").exists()


def test_all_conflicts_are_named_at_once(tmp_path: Path) -> None:
    plants = dict(zip((120, 130, 140, 150, 160), list(CONFLICTS)[1:], strict=True))

    def plant(number: int, made: dict[str, Any]) -> None:
        if number in plants:
            plants[number](made)

    folders = write(tmp_path, plant)
    with pytest.raises(InferometerError) as caught:
        merge_folders(folders, tmp_path / "all.json")
    head, *lines = str(caught.value).splitlines()
    assert re.fullmatch(r"\d+ conflicts; nothing was merged:", head)
    for number, planted in plants.items():
        expected = CONFLICTS[planted].replace("run-120", f"run-{number}")
        assert any(re.match(f"- {expected}", line) for line in lines), planted.__name__


def test_a_folder_given_twice_is_one_conflict(tmp_path: Path) -> None:
    rows = [summary(case(threads=n + 1), 1e7, launches=1) for n in range(3)]
    made = summary_document(header("a"), rows, [], [])
    with pytest.raises(InferometerError) as caught:
        join([("a", made), ("b", made)], lambda text: None)
    assert str(caught.value) == (
        "case x86/onnxruntime/resnet50/nq/b1/t1 is in a and in b; merge only one of them "
        "(and 2 more of these two)"
    )

"""A folder that the generator makes is one that every reader takes for a bench's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.result_folder import write
from orchestrator.domain import InferometerError
from orchestrator.report import page
from orchestrator.report.document import conclude, load
from orchestrator.report.page.gathered import Gathered
from orchestrator.report.progress import progress
from orchestrator.store import Run
from tests.support.schemas import check


def test_a_made_folder_is_a_run(tmp_path: Path) -> None:
    run = write(tmp_path / "run", 6, 5, 200)
    document = conclude(run)
    check("summary", document)
    for record in run.records():
        check("trial", json.loads(json.dumps(record.to_json())))
    assert (progress(run)["done"], progress(run)["planned"]) == (30, 30)
    for row in document["cases"]:
        assert (row["launches"], row["count"]) == (5, 1000)
        assert row["interval"] or "multimodal" in [finding["code"] for finding in row["findings"]]
    assert document["run"]["versions"]["pytorch"] == "1.31.1"
    assert [skip["case"]["runtime"] for skip in document["skips"]] == ["tensorrt"]


def test_what_is_seen_of_it_gives_the_page_that_reading_it_again_gives(tmp_path: Path) -> None:
    """Several windows are longer than what is drawn of them, and one trial failed."""
    run = write(tmp_path / "run", 3, 5, 200)
    lines = run.trials_path.read_text().splitlines()
    lines[4] = json.dumps({**json.loads(lines[4]), "status": "timeout", "reason": "late", "latency": None})
    run.trials_path.write_text("\n".join(lines) + "\n")
    seen = Gathered(run.folder)
    document = conclude(run, seen=seen)
    assert len(list(seen)) == 15
    assert page.render(document, run.folder, seen) == page.render(document, run.folder)


def test_cases_that_an_unfinished_run_has_not_reached_are_told(tmp_path: Path) -> None:
    run = write(tmp_path / "run", 3, 2, 50)
    run.trials_path.write_bytes(run.trials_path.read_bytes().splitlines(keepends=True)[0])
    content = json.loads((run.folder / "run.json").read_text())
    content["plan"]["settings"]["budget_s"] = 600.0
    (run.folder / "run.json").write_text(json.dumps(content))
    run = Run.open(run.folder)
    assert conclude(run)["run"]["budget"]["ended"] is None
    told = [skip for skip in conclude(run)["skips"] if "not measured yet" in skip["reason"]]
    assert len(told) == 2
    (run.folder / "summary.json").write_text(json.dumps(conclude(run, [])))
    assert not [skip for skip in conclude(run)["skips"] if "not measured yet" in skip["reason"]]


def test_a_run_has_its_name_from_inside_its_folder_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "run", 1, 1, 50)
    monkeypatch.chdir(tmp_path / "run")
    assert load(Path("."))["run"]["name"] == "run"


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, 2, 2, 50) for name in ("run", "other"))
    for path in first.folder.rglob("*"):
        if path.is_file():
            assert (second.folder / path.relative_to(first.folder)).read_bytes() == path.read_bytes()


def test_outputs_count_for_no_figure_but_for_the_hash(tmp_path: Path) -> None:
    run = write(tmp_path / "run", 1, 1, 50)
    path = run.raw(0) / "transcript.jsonl"
    text = path.read_text()
    assert '{"type":"outputs"' in text
    path.write_text(text.replace('"index":7', '"index":9'))
    with pytest.raises(InferometerError, match="transcript.jsonl: is not what the trial wrote"):
        conclude(run)

"""A folder that the generator makes is one that every reader takes for a bench's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.result_folder import write
from orchestrator.domain import InferometerError
from orchestrator.report.document import conclude, progress
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

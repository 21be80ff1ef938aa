"""Results of older schemas: read, reported and merged as today's, and left as they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orchestrator import migrations
from orchestrator.domain import InferometerError
from orchestrator.merge import case_summary, join, read_document
from orchestrator.report import comma, markdown
from orchestrator.report.comparison import merge_folders
from orchestrator.report.document import conclude, load
from orchestrator.session import resumable
from orchestrator.store import Run
from orchestrator.verify.check import seal, verify
from tests.support.results import document
from tests.support.schemas import check

V1 = Path(__file__).parents[1] / "fixtures" / "runs" / "v1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(V1 / "run", tmp_path / "run"))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_fixtures_are_of_schema_1() -> None:
    for name in ("run/run.json", "run/summary.json", "comparison.json"):
        assert json.loads((V1 / name).read_bytes())["schema"] == 1


def test_an_old_folder_reads_as_todays_and_stays_as_it_was(old: Path) -> None:
    before = contents(old)
    run = Run.open(old)
    header = run.header("reproduces", "plan.wish.energy", "identity.tuned")
    assert (run.schema, header["schema"]) == (1, migrations.SCHEMA)
    assert len(list(run.records())) == 4
    again = conclude(run)
    check("summary", json.loads(json.dumps(again)))
    stored = json.loads((old / "summary.json").read_bytes())
    assert again["schema"] == migrations.SCHEMA
    for one, other in zip(again["cases"], stored["cases"], strict=True):
        assert (one["case"], one["p50_ns"], one["launch_p50_ns"]) == (
            other["case"],
            other["p50_ns"],
            other["launch_p50_ns"],
        )
    for render in (markdown.render, comma.render):
        assert "onnxruntime" in render(again)
    assert contents(old) == before


@pytest.mark.parametrize(("kind", "name"), [("summary", "run/summary.json"), ("merged", "comparison.json")])
def test_an_old_document_is_valid_in_todays_schema(kind: str, name: str) -> None:
    read = load(V1 / name)
    check(kind, read)
    assert all(case_summary(row).launches == 2 for row in read["cases"])
    assert "mobilenet-v2" in markdown.render(read)
    written = json.loads((V1 / name).read_bytes())
    assert {name: written["cases"][0][name] for name in written["cases"][0]} == {
        name: read["cases"][0][name] for name in written["cases"][0]
    }


def test_old_and_new_runs_merge(old: Path, tmp_path: Path) -> None:
    pieces: list[str] = []
    stored = read_document("old", (old / "summary.json").read_bytes())
    new = document(machine=stored["run"]["machine"])
    total = join([("old", stored), ("new", new)], pieces.append)
    merged = json.loads("".join(pieces))
    check("merged", merged)
    assert total == len(stored["cases"]) + len(new["cases"])
    assert merge_folders([old], tmp_path / "both.json") == 2
    check("merged", json.loads((tmp_path / "both.json").read_bytes()))


def test_an_old_folder_is_verified_and_sealed(old: Path) -> None:
    outcome = verify(old)
    assert "there is no manifest.json" in outcome.notes[0]
    assert outcome.differences == []
    seal(old)
    assert verify(old).differences == []
    assert "runner protocol 1.2.0" in (old / "CITATION.cff").read_text()  # that of then
    path = old / "raw/00001/transcript.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    assert path.relative_to(old).as_posix() in {one.path for one in verify(old).differences}


def test_an_old_unfinished_run_is_not_gone_on_with(old: Path) -> None:
    (old / "summary.json").unlink()
    header = Run.open(old).header()
    assert not resumable(old, header["plan"]["fingerprint"], header["identity"])
    path = old / "run.json"
    path.write_text(json.dumps(header))
    assert resumable(old, header["plan"]["fingerprint"], header["identity"])


@pytest.mark.parametrize("kind", ["run", "summary"])
@pytest.mark.parametrize("content", [{}, {"plan": 3, "cases": 3, "run": 3, "runs": 3}, {"cases": [3]}])
def test_a_step_leaves_damage_to_the_reader(kind: str, content: dict[str, object]) -> None:
    found = migrations.current(kind, "x", {**content, "schema": 1})
    assert found["schema"] == migrations.SCHEMA
    assert migrations.current(kind, "x", found) == found


@pytest.mark.parametrize("schema", [0, -1, True, "1", None, 1.0, [1]])
def test_what_is_no_schema_is_refused(schema: object) -> None:
    with pytest.raises(InferometerError, match="x: field schema is .*restore it"):
        migrations.current("run", "x", {"schema": schema})


def test_a_newer_schema_is_refused_with_the_fix() -> None:
    with pytest.raises(InferometerError, match="this version reads 1 to 2; update this suite"):
        migrations.current("run", "x", {"schema": 3})

"""The folder of a report: which files, whole or not at all, the same bytes each time; which run is meant."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from orchestrator.cli import main
from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic
from orchestrator.report import files, newest
from tests.support.results import document

NAMES = ["report.html", "table.csv", "table.md", "table.parquet", "table.tex"]


def page(what: Any, source: Path | None, tries: Any = None) -> str:
    return f"<html>{what['run']['name']} {source}</html>"


def test_all_files_are_written_and_equal_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        paths = files.write(document(), tmp_path, tmp_path / name, page)
        assert paths[-1] == tmp_path / name / "report.html"
    found = {name: (tmp_path / "one" / name).read_bytes() for name in NAMES}
    assert sorted(os.listdir(tmp_path / "one")) == NAMES
    assert {name: (tmp_path / "two" / name).read_bytes() for name in NAMES} == found
    assert str(tmp_path).encode() in found["report.html"]


def test_a_failure_leaves_the_old_files(tmp_path: Path) -> None:
    files.write(document(), None, tmp_path, page)
    before = (tmp_path / "report.html").read_bytes()

    def broken(what: Any, source: Path | None) -> str:
        raise InferometerError("damaged")

    with pytest.raises(InferometerError, match="damaged"):
        files.write(document(), None, tmp_path, broken)
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == NAMES


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InferometerError, match="out: is a file, and a report is a folder; choose another"):
        files.write(document(), None, tmp_path / "out", page)


def test_without_pyarrow_the_other_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.parquet").write_text("of another run")
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    files.write(document(), None, tmp_path, page)
    assert sorted(os.listdir(tmp_path)) == [name for name in NAMES if name != "table.parquet"]


def ended(folder: Path, at: int, names: tuple[str, ...] = ("run.json", "summary.json")) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("{}")
        os.utime(folder / name, (at, at))
    return folder


def test_the_run_that_ended_last_is_meant(tmp_path: Path) -> None:
    ended(tmp_path / "z", 1)
    wanted = ended(tmp_path / "a", 3)
    ended(tmp_path / "unfinished", 5, ("run.json",))
    ended(tmp_path / "study", 6, ("summary.json",))
    assert newest.finished(tmp_path) == wanted
    with pytest.raises(
        InferometerError, match="holds no finished run; name a results folder, or bench first"
    ):
        newest.finished(tmp_path / "none")


@pytest.fixture
def comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document's file, in a folder with a stand-in for the page."""
    import json

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "orchestrator.report.page", SimpleNamespace(render=page))  # type: ignore[misc]
    write_atomic(tmp_path / "both.json", json.dumps(document()).encode())
    return tmp_path / "both.json"


def report(*words: str) -> Any:
    return CliRunner().invoke(main, ["report", *words], catch_exceptions=False)


def test_a_comparison_is_printed_and_with_out_written(comparison: Path) -> None:
    done = report("both.json")
    assert done.exit_code == 0
    assert os.listdir(comparison.parent) == ["both.json"]
    done = report("both.json", "--out", "both")
    assert done.stdout.splitlines()[-1] == "both/report.html"
    assert sorted(os.listdir("both")) == NAMES
    assert "None" in Path("both/report.html").read_text()  # no raw data


def test_what_lacks_is_said_and_the_page_stays_last(
    comparison: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    done = report("both.json", "--out", "both")
    assert "table.parquet was not written: that needs pyarrow" in done.stderr
    assert done.stdout.splitlines()[-1] == "both/report.html"


@pytest.mark.parametrize(("format_", "part"), [("tex", "\\toprule"), ("html", "<html>"), ("csv", "p50_ns")])
def test_a_format_is_printed_and_nothing_written(comparison: Path, format_: str, part: str) -> None:
    done = report("both.json", "--format", format_)
    assert part in done.stdout
    assert os.listdir(comparison.parent) == ["both.json"]

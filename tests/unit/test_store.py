"""The results folder: whatever is torn off its end, what was finished stays and nothing else appears."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain import InferometerError, TrialRecord
from orchestrator.files import sha256_file, write_atomic
from orchestrator.store import Run
from tests.support import records as drawn


@contextmanager
def fresh() -> Iterator[Run]:
    """A run in a folder of its own (hypothesis shares fixtures between examples)."""
    with tempfile.TemporaryDirectory() as folder:
        yield Run.create(Path(folder) / "results" / "run", {"plan": {}})


def filled(run: Run, count: int) -> list[TrialRecord]:
    """Append plain records with one raw file each."""
    made = []
    for number in range(count):
        raw = run.begin(number)
        (raw / "transcript.jsonl").write_text(f"{number}\n")
        made.append(drawn.record(number))
        run.append(made[-1], raw)
    return made


@settings(max_examples=40)  # each append waits for the disk
@given(st.lists(drawn.records, max_size=4))
def test_what_is_appended_comes_back(records: list[TrialRecord]) -> None:
    with fresh() as run:
        for number, record in enumerate(records):
            run.append(record, run.begin(number))
        assert list(run.records()) == records
        assert list(Run.open(run.folder).records()) == records


@settings(max_examples=60)
@given(st.integers(1, 3), st.data())
def test_a_torn_last_line_is_dropped_and_nothing_else(count: int, data: st.DataObject) -> None:
    with fresh() as run:
        made = filled(run, count)
        content = run.trials_path.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        run.trials_path.write_bytes(content[:cut])
        whole = content[:cut].count(b"\n")
        assert list(run.records()) == made[:whole]
        run.repair()
        assert run.trials_path.read_bytes() == b"".join(content.splitlines(keepends=True)[:whole])
        assert sorted(path.name for path in (run.folder / "raw").iterdir()) == [
            f"{number:05d}" for number in range(whole)
        ]
        for record in made[whole:]:  # the run goes on as if nothing had been
            run.append(record, run.begin(record.launch))
        assert list(run.records()) == made
        assert run.trials_path.read_bytes() == content


def test_records_older_than_a_field_are_read() -> None:
    with fresh() as run:
        made = filled(run, 2)
        lines = [json.loads(line) for line in run.trials_path.read_text("utf-8").splitlines()]
        for line in lines:
            del line["emulated"], line["cores"]
        run.trials_path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        assert list(run.records()) == made


def test_repair_of_a_whole_run_changes_nothing() -> None:
    with fresh() as run:
        filled(run, 3)
        run.write_summary({"a": 1})
        before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
        run.repair()
        assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before


def test_repair_removes_what_a_crash_left() -> None:
    with fresh() as run:
        made = filled(run, 2)
        stale = run.begin(2)
        (stale / "transcript.jsonl").write_text("half")
        (run.folder / "raw" / "notes").mkdir()
        (run.folder / "raw" / ".DS_Store").write_text("what file managers leave")
        (run.folder / ".summary.json.abc").write_text("half")
        run.repair()
        assert sorted(path.name for path in (run.folder / "raw").iterdir()) == ["00000", "00001"]
        assert sorted(path.name for path in run.folder.iterdir()) == ["raw", "run.json", "trials.jsonl"]
        assert list(run.records()) == made


def test_repair_before_the_first_trial() -> None:
    with fresh() as run:
        run.begin(0)
        (run.folder / "raw" / "00000" / "request.json").write_text("{}")
        run.repair()
        assert list(run.records()) == []
        assert list((run.folder / "raw").iterdir()) == []


def test_begin_starts_from_an_empty_folder() -> None:
    with fresh() as run:
        (run.begin(0) / "stderr.log").write_text("of the attempt before")
        assert list(run.begin(0).iterdir()) == []


def test_a_folder_holds_one_run() -> None:
    with fresh() as run, pytest.raises(InferometerError, match="already holds a run; choose another"):
        Run.create(run.folder, {})


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InferometerError, match="cannot be made") as caught:
        Run.create(tmp_path / "file" / "run", {})
    assert "\n" not in str(caught.value)


def test_the_header_comes_back() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "a", {"plan": {"trials": []}, "notes": ["n"]})
        assert run.header() == {"schema": 2, "plan": {"trials": []}, "notes": ["n"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no results folder: it has no run.json"),
        (b"", "unreadable"),
        (b'{"schema": 1', "unreadable"),
        (b"[]", "unreadable"),
        (b"{}", "unreadable"),
        (b"\xff", "unreadable"),
        (b'{"schema": 3}', "field schema is 3, this version reads 1 to 2; update"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(InferometerError, match=message) as caught:
        Run.open(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", [b"{}\n", b"not json\n", b"[]\n", b"null\n", b'{"case": {}}\n', b"\xff\n"])
def test_a_damaged_line_in_the_middle_is_refused_not_skipped(line: bytes) -> None:
    with fresh() as run:
        filled(run, 2)
        first, second = run.trials_path.read_bytes().splitlines(keepends=True)
        run.trials_path.write_bytes(first + line + second)
        with pytest.raises(InferometerError, match="line 2 is no trial record") as caught:
            list(run.records())
        assert "\n" not in str(caught.value)


def test_an_unknown_status_or_field_is_refused() -> None:
    with fresh() as run:
        filled(run, 1)
        record = json.loads(run.trials_path.read_bytes())
        for change in ({"status": "great"}, {"mood": "good"}):
            run.trials_path.write_text(json.dumps({**record, **change}) + "\n")
            with pytest.raises(InferometerError, match="line 1 is no trial record"):
                list(run.records())


def test_write_atomic_replaces_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_write_atomic_keeps_the_old_content_when_it_cannot_replace(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.mkdir()
    with pytest.raises(OSError, match="x.json"):
        write_atomic(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


@given(st.binary(max_size=3000))
def test_sha256_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        assert sha256_file(path) == hashlib.sha256(content).hexdigest()

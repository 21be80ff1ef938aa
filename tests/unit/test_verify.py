"""A results folder that was changed, by however little, is found out, and the file is named."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain import InferometerError
from orchestrator.report import comma
from orchestrator.report.document import conclude
from orchestrator.store import Run
from orchestrator.verify import manifest
from orchestrator.verify.check import Outcome, seal, verify
from orchestrator.verify.finish import finish
from tests.support.finished import finished_run, measured_run


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("original")).folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "run"))


@pytest.fixture
def unsealed(folder: Path) -> Path:
    """As an older version left it, in a schema whose folders had no manifest."""
    for name in (manifest.NAME, manifest.CITATION):
        (folder / name).unlink()
    path = folder / "run.json"
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 1'))
    return folder


def named(folder: Path) -> set[str]:
    return {difference.path for difference in verify(folder).differences}


def whole(folder: Path) -> list[str]:
    return [name for name, _ in manifest.files(folder)] + [manifest.NAME]


def test_a_finished_folder_is_as_it_was_written(folder: Path) -> None:
    outcome = verify(folder)
    assert outcome.differences == [] and outcome.notes == []
    assert outcome.recomputed == ["summary.json", "CITATION.cff"]
    assert outcome.trials == 2
    assert {"run.json", "trials.jsonl", "observer/result.json", "raw/00001/telemetry.jsonl"} < set(
        whole(folder)
    )


def test_one_changed_byte_anywhere_is_found_and_its_file_named(folder: Path) -> None:
    draw = random.Random(6)
    for name in whole(folder):
        path = folder / name
        data = path.read_bytes()
        places = {0, len(data) // 2, len(data) - 1, draw.randrange(len(data))} if data else set()
        for place in places:
            changed = bytearray(data)
            changed[place] ^= 1 << draw.randrange(8)
            path.write_bytes(changed)
            assert name in named(folder), f"byte {place} of {name}"
        path.write_bytes(data)
    assert named(folder) == set()


def test_every_byte_of_the_manifest_counts(folder: Path) -> None:
    data = (folder / manifest.NAME).read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(ValueError):
            manifest.Manifest.from_bytes(bytes(changed))
    assert manifest.Manifest.from_bytes(data).to_bytes() == data


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a byte at the end": lambda data: data + b"\n",
    "a blank at the start": lambda data: b" " + data,
    "a byte less": lambda data: data[:-1],
    "nothing left": lambda data: b"",
    "another layout": lambda data: data.replace(b"\n", b"\n ", 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_longer_and_shorter_files_are_found(folder: Path, change: str) -> None:
    for name in whole(folder):
        path = folder / name
        data = path.read_bytes()
        if CHANGES[change](data) == data:
            continue
        path.write_bytes(CHANGES[change](data))
        # The manifest's own layout is checked before anything it lists.
        assert name in named(folder), name
        path.write_bytes(data)


def test_removed_renamed_and_added_files_are_found(folder: Path) -> None:
    for name in whole(folder):
        if name in (manifest.NAME, "run.json"):
            continue
        (folder / name).rename(folder / f"{name}.x")
        assert {name, f"{name}.x"} <= named(folder)
        (folder / f"{name}.x").rename(folder / name)
    for name in ("note.txt", ".hidden", "raw/00000/core", "raw/extra", "new/file", "report/else.html"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
        assert named(folder) == {name}
        (folder / name).unlink()
    (folder / "link").symlink_to("run.json")
    (folder / "other").symlink_to("raw")
    assert named(folder) == {"link", "other"}


def test_without_its_manifest_a_folder_is_checked_as_far_as_it_goes(unsealed: Path) -> None:
    outcome = verify(unsealed)
    assert outcome.differences == []
    assert "there is no manifest.json" in outcome.notes[0] and "--seal" in outcome.notes[0]
    for name in ("raw/00000/transcript.jsonl", "raw/00001/telemetry.jsonl", "observer/transcript.jsonl"):
        data = (unsealed / name).read_bytes()
        (unsealed / name).write_bytes(data.replace(b"1", b"2", 1))
        assert name in named(unsealed)
        (unsealed / name).write_bytes(data)
    (unsealed / "raw/00000/else").write_text("")
    (unsealed / "raw/00007").mkdir()
    (unsealed / "raw/00007/transcript.jsonl").write_text("")
    assert named(unsealed) == {"raw/00000/else", "raw/00007/transcript.jsonl"}


def test_the_first_figure_that_differs_is_named_with_both_values(unsealed: Path) -> None:
    path = unsealed / "summary.json"
    document = json.loads(path.read_bytes())
    true = document["cases"][0]["p50_ns"]
    document["cases"][0]["p50_ns"] = true + 1
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    (difference,) = verify(unsealed).differences
    assert difference.path == "summary.json"
    assert difference.what == f"cases[0].p50_ns: stored {true + 1}, recomputed {true}"


def test_a_record_is_held_against_its_raw_files(unsealed: Path) -> None:
    path = unsealed / "trials.jsonl"
    first, second = (json.loads(line) for line in path.read_bytes().splitlines())
    true = second["first_ns"]
    second["first_ns"] = true + 1
    path.write_text("".join(json.dumps(line) + "\n" for line in (first, second)))
    told = {one.path: one.what for one in verify(unsealed).differences}
    assert told["trials.jsonl"] == f"line 2: first_ns: stored {true + 1}, recomputed {true}"


def test_another_layout_of_the_same_figures_is_a_difference(unsealed: Path) -> None:
    path = unsealed / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_bytes())))
    (difference,) = verify(unsealed).differences
    assert "not laid out as this suite writes them" in difference.what


def test_figures_of_another_version_are_compared_by_value(unsealed: Path) -> None:
    for name in ("run.json", "summary.json"):
        path = unsealed / name
        path.write_text(path.read_text().replace('"suite": "', '"suite": "0.'))
    document = json.loads((unsealed / "summary.json").read_bytes())
    document["cases"][0]["p50_ns"] *= 1 + 1e-12
    (unsealed / "summary.json").write_text(json.dumps(document))
    assert verify(unsealed).differences == []
    document["cases"][0]["p50_ns"] *= 1.01
    (unsealed / "summary.json").write_text(json.dumps(document))
    (difference,) = verify(unsealed).differences
    assert "figures may differ by version" in difference.what


def test_a_copy_under_another_name_is_the_same_run(folder: Path) -> None:
    moved = folder.rename(folder.parent / "elsewhere")
    assert verify(moved).differences == []


def test_a_torn_last_line_is_found(unsealed: Path) -> None:
    path = unsealed / "trials.jsonl"
    path.write_bytes(path.read_bytes() + b'{"trial": ')
    assert "trials.jsonl" in named(unsealed)


def test_an_older_folder_is_sealed_once_it_is_right(unsealed: Path) -> None:
    path = unsealed / "summary.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"launches": 2', b'"launches": 3'))
    assert seal(unsealed).differences != []
    assert not (unsealed / manifest.NAME).exists()
    path.write_bytes(data)
    sealed = seal(unsealed)
    assert sealed.differences == [] and sealed.notes == []
    assert verify(unsealed).recomputed == ["summary.json", "CITATION.cff"]
    assert sealed.data_sha256 == verify(unsealed).data_sha256
    with pytest.raises(InferometerError, match="has a manifest"):
        seal(unsealed)


def test_tables_are_made_again(folder: Path) -> None:
    before = verify(folder).data_sha256
    (folder / "report").mkdir()
    table = folder / "report/table.csv"
    table.write_text(comma.render(conclude(Run.open(folder))))
    assert named(folder) == {"report/table.csv"}  # nobody listed it yet
    manifest.refresh(folder)
    outcome: Outcome = verify(folder)
    assert outcome.differences == [] and "report/table.csv" in outcome.recomputed
    assert outcome.data_sha256 == before  # what is cited stays
    table.write_text(table.read_text().replace("1", "2", 1))
    manifest.refresh(folder)
    (difference,) = verify(folder).differences
    assert difference.what.startswith("is not what is made from the raw data")


def test_taking_in_new_tables_signs_no_damage(folder: Path) -> None:
    path = folder / "raw/00000/transcript.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    manifest.refresh(folder)
    assert "raw/00000/transcript.jsonl" in named(folder)


def test_a_manifest_of_a_newer_suite_says_so(folder: Path) -> None:
    newer = manifest.Manifest((), schema=99).to_bytes()
    (folder / manifest.NAME).write_bytes(newer)
    assert "field schema is 99, this version reads up to" in verify(folder).differences[0].what


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"files": 3}', '{"schema": "x", "files": [1]}'])
def test_what_is_no_manifest_is_a_difference(folder: Path, content: str) -> None:
    (folder / manifest.NAME).write_text(content)
    assert manifest.NAME in named(folder)


def test_a_removed_manifest_is_found(folder: Path) -> None:
    (folder / manifest.NAME).unlink()
    assert named(folder) == {manifest.NAME}
    assert seal(folder).differences and not (folder / manifest.NAME).exists()


@pytest.mark.parametrize("name", ["summary.json", "run.json", "trials.jsonl", "observer/result.json"])
def test_whatever_lies_in_a_files_place_is_a_difference(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text("[" * 100_000 + "\n")
    assert name in named(folder)
    path.unlink()
    if name != "run.json":  # without which it is no results folder
        path.mkdir()
        assert name in named(folder)


def test_what_is_no_results_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InferometerError, match="no results folder"):
            verify(path)


def test_a_run_that_is_killed_at_its_end_is_finished_by_the_next_command(tmp_path: Path) -> None:
    run = measured_run(tmp_path)
    outcome = verify(run.folder)
    assert outcome.differences == [] and "unfinished" in outcome.notes[-1]
    with pytest.raises(InferometerError, match="unfinished"):
        seal(run.folder)
    finish(run, conclude(run))
    (run.folder / "summary.json").unlink()  # as if killed before the last rename
    (run.folder / ".CITATION.cff.abc").write_text("half")
    run.repair()
    finish(run, conclude(run))
    assert verify(run.folder).differences == []

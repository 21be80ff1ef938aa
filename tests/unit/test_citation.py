"""How a results folder is cited: never by a name that nobody gave, always by the hash of its raw data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli import main
from orchestrator.domain import InferometerError
from orchestrator.verify import citation, manifest
from orchestrator.verify.check import seal, verify
from orchestrator.verify.cite import cite
from tests.support.finished import finished_run
from tests.support.results import document

KNOWN = citation.Facts("d" * 64, "c" * 40, {"tflite on cpu": "sha256:" + "e" * 64})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("original")).folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "run"))


def test_every_finished_folder_has_a_citation_that_names_nobody(folder: Path) -> None:
    text = (folder / "CITATION.cff").read_text()
    assert text.startswith("cff-version: 1.2.0\ntype: dataset\n")
    assert json.dumps(citation.NOBODY) in text
    known = manifest.read(folder)
    assert known and f"sha256:{manifest.data_sha256(known.entries)}" in text
    assert "commit: " in text and "on board (Example CPU)" in text
    told = cite(folder, ())
    assert told["authors"] == [] and "author" not in told["bibtex"]
    assert citation.NOBODY not in told["text"] + told["bibtex"]


def test_its_authors_are_whom_the_user_names(folder: Path) -> None:
    before = verify(folder).data_sha256
    told = cite(folder, ("Lovelace, Ada", 'Group "X": {é} & co'))
    assert told["authors"] == ["Lovelace, Ada", 'Group "X": {é} & co']
    assert 'author = {Lovelace, Ada and {Group "X": \\{é\\} \\& co}}' in told["bibtex"]
    assert told["text"].startswith("Lovelace, Ada; Group")
    assert told["data_sha256"] == before
    outcome = verify(folder)
    assert outcome.differences == [] and "CITATION.cff" in outcome.recomputed
    assert cite(folder, ())["authors"] == told["authors"]


def test_a_citation_that_says_something_else_is_found(folder: Path) -> None:
    path = folder / "CITATION.cff"
    path.write_text(path.read_text().replace("Example CPU", "Better CPU"))
    manifest.refresh(folder)
    assert [one.path for one in verify(folder).differences] == ["CITATION.cff"]


def test_a_name_that_is_given_twice_is_one_author(folder: Path) -> None:
    """The format forbids equal authors."""
    assert cite(folder, ("Lovelace, Ada", "Lovelace,  Ada"))["authors"] == ["Lovelace, Ada"]


@pytest.mark.parametrize("name", ["", " ", ",", "a\nb\x00", citation.NOBODY])
def test_what_is_no_name_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(InferometerError, match="--author .*: give a name"):
        cite(folder, (name,))


def test_without_a_manifest_nothing_is_written(folder: Path) -> None:
    (folder / manifest.NAME).unlink()
    with pytest.raises(InferometerError, match="has no manifest; first `inferometer verify --seal"):
        cite(folder, ("Lovelace, Ada",))
    (folder / "summary.json").unlink()
    with pytest.raises(InferometerError, match="unfinished"):
        cite(folder, ())


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), max_size=3))
def test_names_come_back(names: list[str]) -> None:
    text = citation.render(document(), KNOWN, names).decode()
    assert citation.render(document(), KNOWN, names).decode() == text
    block = text.split("authors:\n")[1].split("date-released")[0]
    said = [json.loads(line.partition(": ")[2]) for line in block.split("\n") if line]
    assert ", ".join(said) != "" and (names == [] or citation.NOBODY not in said)


def test_what_was_emulated_says_so() -> None:
    made = document()
    made["cases"][0]["emulated"] = True
    assert citation.title(made).endswith("under emulation")
    assert not citation.title(document()).endswith("under emulation")


def on_page(folder: Path) -> dict[str, str]:
    """What the report's page says of how the folder is cited."""
    html = CliRunner().invoke(main, ["report", str(folder), "--format", "html"]).stdout
    found = html.split('<script type="application/json" id="inferometer-data">')[1].split("</script>")[0]
    told: dict[str, str] = json.loads(found)["citation"]
    return told


def test_the_page_cites_by_the_hash_of_the_raw_data(folder: Path) -> None:
    told, said = on_page(folder), cite(folder, ())
    assert told == {"text": said["text"], "bibtex": said["bibtex"]}
    assert said["data_sha256"] in told["text"] and "commit 000000000000" in told["text"]


def test_a_page_stays_as_it_is_made_again_when_authors_are_named_or_a_seal_is_added(folder: Path) -> None:
    """Authors stand in CITATION.cff alone: naming them must not make an earlier report a wrong one."""
    before = on_page(folder)
    (folder / manifest.NAME).unlink()
    (folder / manifest.CITATION).unlink()
    path = folder / "run.json"  # as of a schema without manifests
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 1'))
    assert CliRunner().invoke(main, ["report", str(folder)]).exit_code == 0
    assert on_page(folder)["text"] != before["text"]  # another run.json
    assert seal(folder).differences == []
    cite(folder, ("Lovelace, Ada",))
    outcome = verify(folder)
    assert outcome.differences == [] and "report/report.html" in outcome.recomputed


def test_the_page_of_an_unfinished_run_says_why_it_cannot_be_cited(folder: Path) -> None:
    (folder / "summary.json").unlink()
    assert on_page(folder) == {"reason": citation.UNFINISHED}


def test_the_commands_say_it_with_their_exit_status(folder: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(main, ["cite", str(folder)]).exit_code == 0
    done = run(main, ["verify", str(folder), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["ok"] is True
    assert "all is as it was written" in run(main, ["verify", str(folder)]).stdout
    (folder / "note").write_text("")
    done = run(main, ["verify", str(folder)])
    assert done.exit_code == 1 and "note: is not in the manifest" in done.stdout
    done = run(main, ["verify", str(tmp_path)])
    assert done.exit_code == 2 and "is no results folder" in done.stderr
    (folder / "note").unlink()
    (folder / manifest.NAME).unlink()
    (folder / manifest.CITATION).unlink()
    path = folder / "run.json"  # as of a schema without manifests
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 1'))
    assert run(main, ["verify", "--seal", str(folder)]).stdout.startswith("sealed: ")

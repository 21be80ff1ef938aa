"""A run measured again: the same trials in the same order, and what is not the same here by its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.store import Run
from orchestrator.verify import manifest
from tests.support.newcomer import FAKE, inferometer, measured, refused

WORDS = (*FAKE, "--launches", "2", "--option", "fake.latency_ns=60000")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("finished")
    measured(inferometer(place, "bench", *WORDS, "--seed", "3", "--results", "run"))
    return place / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def edited(run: Path, change: Any) -> None:
    """``run.json`` as another machine would have written it, its manifest made anew."""
    path = run / "run.json"
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    manifest.write(run, manifest.listing(run))


def test_a_run_is_measured_again_and_compared(tmp_path: Path, run: Path) -> None:
    planned = inferometer(tmp_path, "reproduce", "run", "--dry-run")
    measured(planned)
    assert planned.stdout.endswith("4 trials of 2 cases with engine process\n")
    assert not (tmp_path / "results").exists()
    done = inferometer(tmp_path, "reproduce", "run", "--results", "again", "--json")
    measured(done)
    told = json.loads(done.stdout)
    assert len(told["comparison"]["cases"]) == 2
    assert told["comparison"]["only_in_a"] == told["comparison"]["only_in_b"] == []
    first, second = Run.open(run), Run.open(tmp_path / "again")
    assert [one.trial for one in first.records()] == [one.trial for one in second.records()]
    known = manifest.read(run)
    assert known
    said = second.header()["reproduces"]
    assert (said["run"], said["data_sha256"]) == ("run", manifest.data_sha256(known.entries))
    assert [one["kind"] for one in said["differs"]] == []
    for name in ("settings", "wish"):
        assert first.header()["plan"][name] == second.header()["plan"][name]
    assert inferometer(tmp_path, "verify", "again").returncode == 0
    assert "reproduces run of 20" in inferometer(tmp_path, "report", "again", "--format", "md").stdout


def test_another_device_is_refused_or_allowed_by_name(tmp_path: Path, run: Path) -> None:
    def elsewhere(content: dict[str, Any]) -> None:
        content["identity"]["device"] = content["plan"]["wish"]["device"] = "rpi5"

    edited(run, elsewhere)
    done = inferometer(tmp_path, "reproduce", "run")
    refused(done, "device: rpi5 then, ", "--allow device")
    done = inferometer(tmp_path, "reproduce", "run", "--allow", "device", "--results", "again")
    measured(done)
    assert "differs: device: rpi5 then" in done.stdout
    assert Run.open(tmp_path / "again").header()["reproduces"]["differs"][0]["then"] == "rpi5"


def test_another_program_and_another_artifact_are_refused_by_name(tmp_path: Path, run: Path) -> None:
    edited(run, lambda content: content["identity"]["runtimes"].update(fake="0" * 12))
    path = run / "trials.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        record["artifact_sha256"] = "0" * 64
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    manifest.write(run, manifest.listing(run))
    done = inferometer(tmp_path, "reproduce", "run", "--allow", "device")
    refused(
        done, "image of fake: 000000000000 then", "artifact of digits-cnn nq b1", "--allow image,artifact"
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda content: content["plan"]["settings"].update(invented=1), "fields of another version"),
        (lambda content: content["plan"]["wish"].update(own=[["my", "0" * 64]]), "files of its owner's (my)"),
        (lambda content: content["plan"].pop("trials"), "field plan.trials is missing"),
    ],
)
def test_what_cannot_be_repeated_is_refused(tmp_path: Path, run: Path, change: Any, complaint: str) -> None:
    edited(run, change)
    refused(inferometer(tmp_path, "reproduce", "run", "--dry-run"), complaint)


def test_damage_is_not_reproduced(tmp_path: Path, run: Path) -> None:
    (run / "raw/00001/telemetry.jsonl").write_text("")
    refused(inferometer(tmp_path, "reproduce", "run"), "raw/00001/telemetry.jsonl is not what was written")
    refused(inferometer(tmp_path, "reproduce", "run", "--allow", "kernel"), "unknown kind to --allow")
    refused(inferometer(tmp_path, "reproduce", "none"), "none is no results folder")

"""Which trial is in flight, by its raw folder and the plan; where these leave it open, that is said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.result_folder import write
from orchestrator.domain import Case
from orchestrator.watch import page, screen, words
from orchestrator.watch.follow import Follower
from orchestrator.watch.state import State

LAUNCHES = 3
SINCE_S = 1_795_831_384  # 2026-11-28T02:03:04Z


class Folder:
    """A results folder with some trials done, and perhaps one in flight."""

    def __init__(self, folder: Path, made: Path):
        self.folder, self.lines = folder, (made / "trials.jsonl").read_bytes().splitlines(keepends=True)
        folder.mkdir()
        (folder / "run.json").write_bytes((made / "run.json").read_bytes())
        self.follower = Follower(folder)

    def done(self, *numbers: int, **fields: Any) -> None:
        with (self.folder / "trials.jsonl").open("ab") as stream:
            for number in numbers:
                stream.write(json.dumps({**json.loads(self.lines[number]), **fields}).encode() + b"\n")

    def begin(self, number: int, line: int, hello: bool = True, sha256: str | None = None) -> Path:
        """Raw folder ``number`` as the launch of this line of the whole run fills it."""
        record = json.loads(self.lines[line])
        case = Case.from_json(record["case"])
        raw = self.folder / "raw" / f"{number:05d}"
        raw.mkdir(parents=True)
        request = {
            "model": {"sha256": sha256 or record["artifact_sha256"]},
            "threads": case.threads,
            "batch": case.batch,
            "accelerator": case.accelerator,
            "options": dict(case.options),
        }
        (raw / "request.json").write_text(json.dumps(request) + "\n")
        os.utime(raw / "request.json", (SINCE_S, SINCE_S))
        (raw / "transcript.jsonl").write_text("")
        if hello:
            self.hello(number, case.runtime)
        return raw

    def hello(self, number: int, runtime: str) -> None:
        told = json.dumps({"type": "hello", "runtime": runtime})
        (self.folder / "raw" / f"{number:05d}" / "transcript.jsonl").write_text(f"{told}\n")

    def state(self) -> State:
        self.follower.look()
        assert self.follower.state is not None
        return self.follower.state

    def trial(self, line: int) -> str:
        return str(json.loads(self.lines[line])["trial"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("made") / "run", 8, LAUNCHES, 50).folder


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Folder:
    return Folder(tmp_path / "run", made)


def test_between_trials_nothing_is_in_flight(folder: Folder) -> None:
    folder.done(0, 1)
    folder.begin(1, 1)  # a trial that has its line
    state = folder.state()
    assert state.flight is None and words.now(state, SINCE_S) is None
    assert "now:" not in page.render(state, "", SINCE_S)


def test_the_trial_in_flight_has_its_launch_and_since_when(folder: Folder) -> None:
    folder.done(*range(8))  # the first round
    folder.begin(8, 8)
    state = folder.state()
    line = f"now: {folder.trial(8)}, launch 2 of 3, since 02:03:04 UTC"
    assert words.now(state, state.changed_s or 0) == line
    assert line in page.render(state, "", state.changed_s or 0)
    assert line in "\n".join(screen.lines(state, "", 120, 24, state.changed_s or 0))
    quiet = words.now(state, (state.changed_s or 0) + 10_000)
    assert quiet == line.replace("now", "begun, and not ended")
    (folder.folder / "summary.json").write_text("{}")
    assert folder.state().flight is None


def test_that_one_began_is_news_once(folder: Folder) -> None:
    folder.done(*range(8))
    folder.state()
    folder.begin(8, 8)
    assert folder.follower.look()
    assert not folder.follower.look()


def test_a_case_that_may_have_been_passed_over_is_told_by_the_plan_alone(folder: Folder) -> None:
    """In the first round a case that could not be made ready leaves no trace before the next line."""
    options = [(json.loads(line)["case"], number) for number, line in enumerate(folder.lines[:8])]
    alike = [number for case, number in options if case["threads"] == 1 and case["options"] == {}]
    folder.begin(0, alike[0], hello=False)
    told = words.now(folder.state(), SINCE_S)
    assert told and told.startswith(f"now, by the plan's order: {folder.trial(alike[0])}, launch 1 of 3")
    folder.hello(0, json.loads(folder.lines[alike[1]])["case"]["runtime"])
    told = words.now(folder.state(), SINCE_S)
    assert told and told.startswith(f"now: {folder.trial(alike[1])}, "), (
        "the runner has said which runtime it is"
    )


def test_beyond_the_plan_a_trial_is_known_by_what_it_loads(folder: Folder) -> None:
    everything = range(len(folder.lines))
    for number in everything:
        folder.done(number, artifact_sha256=json.loads(folder.lines[number])["trial"].split("#")[0])
    count = len(folder.lines)
    folder.begin(count, 2, sha256=folder.trial(2).split("#")[0])
    name = folder.trial(2).split("#")[0]
    told = words.now(folder.state(), SINCE_S)
    assert told and f"{name}#{LAUNCHES}, launch {LAUNCHES + 1}, beyond the plan, since" in told


@pytest.mark.parametrize("content", ["", '{"threads": 1', "[]", "{}", '{"model": 7, "threads": 1}'])
def test_half_a_request_is_no_trial_yet(folder: Folder, content: str) -> None:
    folder.done(*range(8))
    raw = folder.begin(8, 8)
    (raw / "request.json").write_text(content)
    assert folder.state().flight is None

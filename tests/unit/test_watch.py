"""The live page's model and its faces, on folders that grow as a bench's does."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from benchmarks.result_folder import write
from orchestrator.domain import InferometerError
from orchestrator.watch import beside, page, screen, words
from orchestrator.watch.follow import Follower, newest
from orchestrator.watch.state import State

CASES, LAUNCHES = 4, 3
TOTAL = CASES * LAUNCHES


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[bytes]]:
    """``run.json`` and the lines of ``trials.jsonl`` of a whole run."""
    run = write(tmp_path_factory.mktemp("made") / "run", CASES, LAUNCHES, 50)
    return (run.folder / "run.json").read_bytes(), run.trials_path.read_bytes().splitlines(keepends=True)


class Growing:
    """A folder into which a test writes as a bench does."""

    def __init__(self, folder: Path, made: tuple[bytes, list[bytes]]):
        self.folder, (self.header, self.lines) = folder, made

    def begin(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "run.json").write_bytes(self.header)

    def append(self, content: bytes) -> None:
        with (self.folder / "trials.jsonl").open("ab") as stream:
            stream.write(content)


@pytest.fixture
def growing(tmp_path: Path, made: tuple[bytes, list[bytes]]) -> Growing:
    return Growing(tmp_path / "run", made)


def changed(line: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(line), **fields}).encode() + b"\n"


def test_a_folder_is_followed_from_before_it_is_there_to_its_end(growing: Growing) -> None:
    follower = Follower(growing.folder)
    assert (follower.look(), follower.state) == (False, None)
    growing.begin()
    follower.look()
    assert follower.state is not None
    assert (len(follower.state.plan), len(follower.state.trials)) == (TOTAL, 0)
    growing.append(growing.lines[0] + growing.lines[1][:100])
    assert follower.look()
    assert len(follower.state.trials) == 1
    assert not follower.look()  # nothing new: the torn line is not one
    growing.append(growing.lines[1][100:])
    assert follower.look()
    assert [trial.id for trial in follower.state.trials] == [name for name, _ in follower.state.plan[:2]]
    (growing.folder / "summary.json").write_text("{}")
    assert follower.look()
    assert follower.state.finished


def test_a_torn_line_that_a_resumed_bench_drops_is_forgotten(growing: Growing) -> None:
    growing.begin()
    growing.append(growing.lines[0] + growing.lines[1][:100])
    follower = Follower(growing.folder)
    follower.look()
    os.truncate(growing.folder / "trials.jsonl", len(growing.lines[0]))
    growing.append(growing.lines[1] + growing.lines[2])
    follower.look()
    assert follower.state is not None
    assert len({trial.id for trial in follower.state.trials}) == len(follower.state.trials) == 3


def test_damaged_files_are_named(growing: Growing) -> None:
    growing.begin()
    growing.append(growing.lines[0] + b"garbage\n")
    with pytest.raises(InferometerError, match=r"trials.jsonl: line 2 is no trial record"):
        Follower(growing.folder).look()
    (growing.folder / "run.json").write_text("[]")
    with pytest.raises(InferometerError, match=r"run.json: unreadable"):
        Follower(growing.folder).look()


def followed(growing: Growing, count: int, **fields: Any) -> State:
    growing.begin()
    for line in growing.lines[:count]:
        growing.append(changed(line, **fields))
    follower = Follower(growing.folder)
    follower.look()
    assert follower.state is not None
    return follower.state


def test_time_left_is_what_the_rest_takes_at_the_pace_so_far(growing: Growing) -> None:
    growing.begin()
    for number, line in enumerate(growing.lines[:3]):  # 9 s each and one second between them
        growing.append(changed(line, started_utc=f"2026-11-20T20:15:{number * 10:02d}+00:00"))
    follower = Follower(growing.folder)
    follower.look()
    state = follower.state
    assert state is not None
    assert state.changed_s is not None
    assert state.left_s(state.changed_s) == pytest.approx((TOTAL - 3) * 10)
    assert state.left_s(state.changed_s + 4) == pytest.approx((TOTAL - 3) * 10 - 4)
    assert state.left_s(state.changed_s + 1e6) == 0
    assert words.headline(state, state.changed_s) == "3 of 12 trials, about 2 min left"
    assert "is the bench still running?" in words.headline(state, state.changed_s + 1000)


def test_an_interruption_is_no_pace(growing: Growing) -> None:
    growing.begin()
    for number, line in enumerate(growing.lines[:2]):  # resumed two hours later
        growing.append(changed(line, started_utc=f"2026-11-20T2{number * 2}:15:00+00:00"))
    follower = Follower(growing.folder)
    follower.look()
    state = follower.state
    assert state is not None
    assert state.left_s(state.changed_s or 0) == pytest.approx((TOTAL - 2) * 9)


def test_a_case_that_was_passed_over_is_not_waited_for(growing: Growing) -> None:
    growing.begin()
    growing.append(growing.lines[1])  # the first trial of the plan has no line: its case was skipped
    follower = Follower(growing.folder)
    follower.look()
    state = follower.state
    assert state is not None
    skipped = state.plan[0][1]
    assert skipped not in {case for _, case in state.left()}
    assert len(state.left()) == TOTAL - LAUNCHES - 1


def test_trials_beyond_the_plan_are_counted_apart(growing: Growing) -> None:
    state = followed(growing, TOTAL)
    line = json.loads(growing.lines[0])
    growing.append(
        changed(growing.lines[0], launch=LAUNCHES, trial=line["trial"].replace("#0", f"#{LAUNCHES}"))
    )
    follower = Follower(growing.folder)
    follower.look()
    assert follower.state is not None
    assert words.headline(follower.state, 0).startswith("12 of 12 trials, 1 beyond the plan")
    assert state.left() == follower.state.left() == []


def test_a_trial_says_what_the_machine_was(growing: Growing) -> None:
    energy = [{"source": "rapl", "scope": "cpu_package", "mean_w": 12.34}]
    (trial, *_) = followed(growing, 1, energy=energy).trials
    name, outcome, machine = words.trial_line(trial)
    assert name == json.loads(growing.lines[0])["trial"]
    assert re.fullmatch(r"p50 \d\.\d+ ms", outcome)
    assert machine == "61.0 °C · 2400 MHz · 12.3 W cpu_package"


def test_a_failed_trial_has_its_reason_and_no_figure(growing: Growing) -> None:
    state = followed(growing, 1, status="oom", reason="killed\x1b[2J in load")
    assert (state.failed, state.trials[0].p50_ns) == (1, None)
    assert words.trial_line(state.trials[0])[1] == "oom: killed [2J in load"


def test_findings_are_counted_gravest_first(growing: Growing) -> None:
    found = [
        {"code": code, "severity": severity, "message": "", "advice": ""}
        for code, severity in (("quiet", "note"), ("throttled", "invalid"), ("unstable", "suspect"))
    ]
    assert words.findings(followed(growing, 2, findings=found)) == [
        "throttled (invalid) x 2",
        "unstable (suspect) x 2",
        "quiet (note) x 2",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], ""), ([5.0], "▁"), ([100.0, 100.5], "▁▁"), ([1.0, 2.0, 3.0], "▁▅█"), ([1.0] * 20, "▁" * 16)],
)
def test_sparkline(values: list[float], expected: str) -> None:
    assert words.sparkline(values) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2, "a few seconds"), (44, "40 s"), (100, "2 min"), (3700, "1 h 02 min"), (7199, "2 h 00 min")],
)
def test_spans(seconds: float, expected: str) -> None:
    assert words.span(seconds) == expected


HOSTILE = '<script>alert(1)</script>\x1b]0;t\x07"&中'


def hostile(growing: Growing) -> State:
    header = json.loads(growing.header)
    for item in header["plan"]["trials"]:
        item["case"]["model"] = HOSTILE
    growing.header = json.dumps(header).encode()
    state = followed(growing, 2, status="error", reason=HOSTILE)
    state.folder = HOSTILE
    return state


@pytest.mark.parametrize("size", [(80, 24), (40, 8), (200, 60), (20, 3), (1, 1)])
def test_a_screen_fits_and_is_steered_by_nobody_else(growing: Growing, size: tuple[int, int]) -> None:
    width, height = size
    for state in (hostile(growing), followed(growing, TOTAL), None):
        found = screen.lines(state, HOSTILE, width, height, 0.0)
        assert len(found) <= height
        bare = [re.sub(r"\x1b\[\d*m", "", line) for line in found]
        assert all(line.isprintable() and cell_len(line) <= width for line in bare)


def test_a_screen_has_cases_trials_and_progress(growing: Growing) -> None:
    state = followed(growing, 5)
    text = "\n".join(screen.lines(state, "", 100, 24, state.changed_s or 0))
    assert "5 of 12 trials" in text
    assert all(name in text for name in state.cases)
    assert text.count("#") >= 3
    assert "q leaves this page; the bench goes on" in text


def test_a_page_escapes_and_needs_nothing_from_elsewhere(growing: Growing) -> None:
    text = page.render(hostile(growing), HOSTILE, 0.0)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not re.findall(r"(?:src|href)=|https?:|url\(", text)
    assert 'http-equiv="refresh"' in text
    assert "Waiting for a bench" in page.render(None, HOSTILE, 0.0)


def test_a_finished_page_refreshes_no_more(growing: Growing) -> None:
    state = followed(growing, TOTAL)
    state.finished = True
    text = page.render(state, "", 0.0)
    assert "http-equiv" not in text
    assert "12 of 12 trials, finished" in text


def test_the_unfinished_run_that_grew_last_is_meant(tmp_path: Path) -> None:
    for name, files in {
        "a": {"run.json": 1, "trials.jsonl": 9},
        "b": {"run.json": 5},
        "c": {"run.json": 7},
    }.items():
        (tmp_path / name).mkdir()
        for file, at in files.items():
            (tmp_path / name / file).write_text("{}")
            os.utime(tmp_path / name / file, (at, at))
    assert newest(tmp_path) == tmp_path / "a"
    (tmp_path / "a/summary.json").write_text("{}")
    assert newest(tmp_path) == tmp_path / "c"
    with pytest.raises(
        InferometerError, match="holds no unfinished run; name a results folder, or start a bench"
    ):
        newest(tmp_path / "none")


def test_the_page_beside_a_bench_keeps_off_the_runners_cores(growing: Growing) -> None:
    growing.begin()  # its trials have 1 thread
    assert 3 not in beside.cores(growing.folder, (0, 1, 2, 3))
    assert beside.cores(growing.folder, (0,)) == (0,)


def test_what_an_emulator_made_stands_in_brackets(growing: Growing) -> None:
    growing.header = growing.header.replace(b'"emulated": false', b'"emulated": true')
    state = followed(growing, TOTAL)
    assert state.emulated and "emulated: speeds in brackets" in words.where(state)
    assert re.search(r">\([\d.]+ ms\)<", page.render(state, "", 0.0))
    assert re.search(r" \([\d.]+ ms\) ", "\n".join(screen.lines(state, "", 120, 40, 0.0)))

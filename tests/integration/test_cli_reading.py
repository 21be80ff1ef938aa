"""Results folders that are damaged, unfinished or not there, and terminals that are odd."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.newcomer import FAKE, environment, inferometer, measured, refused

FORMATS = ["table", "json", "csv", "md"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one trial, made once; tests damage copies of it."""
    place = tmp_path_factory.mktemp("finished")
    measured(inferometer(place, "bench", *FAKE, "--results", "run"))
    return place / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run in the test's own folder."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def readers(place: Path, name: str) -> list[subprocess.CompletedProcess[str]]:
    """What every command that reads a results folder says of it."""
    words = [["report", name], ["run-status", name], ["merge", name, "--out", "out.json"]]
    return [inferometer(place, *command) for command in words]


def test_what_is_no_results_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("garbage")
    for name in ("empty", "file", "missing"):
        for done in readers(tmp_path, name):
            refused(done, name)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "unreadable"),
        (b'{"schema": 1, "plan', "unreadable"),
        (b"[]", "unreadable"),
        (b'{"schema": 3}', "field schema is 3, this version reads 1 to 2; update"),
        (b'{"schema": 1}', "field"),
        (b'{"schema": 1, "plan": {"trials": []}}', "field"),
    ],
)
def test_a_damaged_header(tmp_path: Path, run: Path, content: bytes, complaint: str) -> None:
    (run / "run.json").write_bytes(content)
    (run / "summary.json").unlink()
    refused(inferometer(tmp_path, "report", "run"), "run/run.json: ", complaint)
    refused(inferometer(tmp_path, "merge", "run", "--out", "x.json"), "run/run.json: ", complaint)
    refused(inferometer(tmp_path, "bench", *FAKE, "--results", "run"), "run/run.json: ", complaint)
    assert (run / "run.json").read_bytes() == content


def test_a_strange_folder_among_the_results_hinders_no_bench(tmp_path: Path) -> None:
    for name, content in {"a": "{}", "b": '{"schema": 1}', "c": '{"schema": 1, "plan": []}'}.items():
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "run.json").write_text(content)
    measured(inferometer(tmp_path, "bench", *FAKE))


def test_a_finished_run_and_one_of_another_plan_are_not_overwritten(tmp_path: Path, run: Path) -> None:
    before = (run / "trials.jsonl").read_bytes()
    for more in ([], ["--seed", "7"]):
        done = inferometer(tmp_path, "bench", *FAKE, *more, "--results", "run")
        refused(done, "run holds a finished run or one of another plan; choose another RESULTS folder")
    assert (run / "trials.jsonl").read_bytes() == before


def test_a_torn_last_line_is_dropped_and_its_trial_run_again(tmp_path: Path, run: Path) -> None:
    whole = (run / "trials.jsonl").read_bytes()
    (run / "trials.jsonl").write_bytes(whole[: len(whole) // 2])
    (run / "summary.json").unlink()
    state = json.loads(inferometer(tmp_path, "run-status", "run", "--json").stdout)
    assert (state["done"], state["planned"], state["state"]) == (0, 1, "unfinished")
    assert "No case was measured" in inferometer(tmp_path, "report", "run").stdout
    done = inferometer(tmp_path, "bench", *FAKE, "--results", "run")
    measured(done)
    assert "resuming run: 0 of 1 trials are done" in done.stderr
    (line,) = (run / "trials.jsonl").read_bytes().splitlines()
    assert json.loads(line)["trial"] == json.loads(whole)["trial"]


def test_garbage_between_trials_names_its_line(tmp_path: Path, run: Path) -> None:
    path = run / "trials.jsonl"
    path.write_bytes(path.read_bytes() + b"garbage\n" + path.read_bytes())
    (run / "summary.json").unlink()
    for done in [*readers(tmp_path, "run"), inferometer(tmp_path, "bench", *FAKE, "--results", "run")]:
        refused(done, "run/trials.jsonl: line 2 is no trial record", "restore the file from a copy")


def doubled(path: Path) -> None:
    """Every latency ten times as long: valid lines that the trial never wrote."""
    lines = path.read_text().splitlines(keepends=True)
    changed = [line.replace('"values_ns":[', '"values_ns":[9') for line in lines]
    assert changed != lines
    path.write_text("".join(changed))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (Path.unlink, "cannot be read: No such file or directory"),
        (lambda path: path.write_bytes(b""), "is not what the trial wrote"),
        (doubled, "is not what the trial wrote"),
    ],
)
def test_raw_data_that_is_gone_or_altered(
    tmp_path: Path, run: Path, damage: Callable[[Path], object], complaint: str
) -> None:
    damage(run / "raw/00000/transcript.jsonl")
    done = inferometer(tmp_path, "report", "run")
    refused(done, "run/raw/00000/transcript.jsonl: ", complaint, "restore it from a copy")


HEAD = {
    **dict.fromkeys(("name", "created_utc", "device", "machine"), "x"),
    "suite": "0.2.0",
    "protocol": "1.0.0",
    "host": {},
    "engines": ["process"],
    "seed": 0,
    "quick": True,
    "findings": [],
}
DOCUMENT: dict[str, Any] = {"schema": 2, "run": HEAD, "artifacts": [], "cases": [], "skips": []}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not JSON"),
        ('{"schema": 1', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"schema": 9}', "field schema is 9, this version reads 1 to 2"),
        (json.dumps({**DOCUMENT, "run": {}}), 'field run: "name" is a required property'),
        (json.dumps({**DOCUMENT, "cases": [{}]}), 'field cases[0]: "case" is a required property'),
        (json.dumps({**DOCUMENT, "skips": [{}]}), 'field skips[0]: "case" is a required property'),
        (json.dumps({**DOCUMENT, "skips": ["x"]}), 'field skips[0]: "x" is not of type "object"'),
    ],
)
def test_a_damaged_summary(tmp_path: Path, run: Path, content: str, complaint: str) -> None:
    (run / "summary.json").write_text(content)
    (tmp_path / "comparison.json").write_text(content)
    refused(inferometer(tmp_path, "merge", "run", "--out", "x.json"), "run/summary.json: ", complaint)
    refused(inferometer(tmp_path, "report", "run"), "run/summary.json: ", complaint)
    refused(inferometer(tmp_path, "report", "comparison.json"), "comparison.json: ", complaint)


def test_conflicts_of_a_merge_are_named(tmp_path: Path, run: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    done = inferometer(tmp_path, "merge", "run", "other", "--out", "x.json")
    refused(done, "case x86/fake/digits-cnn/nq/b1/t1", "is in run and in other; merge only one of them")
    summary = json.loads((other / "summary.json").read_bytes())
    summary["artifacts"][0]["sha256"] = "0" * 64
    (other / "summary.json").write_text(json.dumps(summary))
    done = inferometer(tmp_path, "merge", "run", "other", "--out", "x.json")
    head, artifact, case = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert head == "inferometer: 2 conflicts; nothing was merged:"
    assert artifact.startswith("- digits-cnn/nq/b1 in onnx is artifact 000000000000 in other but ")
    assert case.startswith("- case x86/fake/digits-cnn/nq/b1/t1")
    assert not (tmp_path / "x.json").exists()


def test_a_merge_replaces_nothing_but_a_comparison(tmp_path: Path, run: Path) -> None:
    before = (run / "run.json").read_bytes()
    for out in ("run/run.json", "run", "run/summary.json"):
        done = inferometer(tmp_path, "merge", "run", "--out", out)
        refused(done, f"{out}: --out would replace something else; choose another name")
    assert (run / "run.json").read_bytes() == before
    done = inferometer(tmp_path, "merge", "run", "--out", "missing/x.json")
    refused(done, "missing/x.json: --out names a folder that is not there")
    for _ in range(2):  # the second replaces the first
        measured(inferometer(tmp_path, "merge", "run", "--out", "x.json"))
    assert inferometer(tmp_path, "report", "x.json").returncode == 0


@pytest.mark.parametrize(
    "more",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"COLUMNS": "0"},
        {"COLUMNS": "1"},
        {"COLUMNS": "40"},
        {"COLUMNS": "200"},
        {"COLUMNS": "wide"},
    ],
)
def test_any_locale_and_width(tmp_path: Path, run: Path, more: dict[str, str]) -> None:
    for name in FORMATS:
        command = [sys.executable, "-m", "orchestrator", "report", "run", "--format", name]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path, **more), capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""
        assert b"fake" in done.stdout


def shell(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which ``i`` is the program."""
    line = f'i() {{ "{sys.executable}" -m orchestrator "$@"; }}; set -o pipefail; {command}'
    return subprocess.run(
        ["bash", "-c", line], cwd=place, env=environment(place), capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_reader_that_has_seen_enough(tmp_path: Path, run: Path, name: str) -> None:
    done = shell(tmp_path, f"i report run --format {name} | true")
    assert done.stderr == ""
    done = shell(tmp_path, f"i report run --format {name} | head -c 9")
    assert len(done.stdout.encode()) == 9
    assert done.stderr == ""


def unread(place: Path, command: str, *streams: str) -> subprocess.CompletedProcess[bytes]:
    """A command of which the reader of these streams left before the first line was written."""
    read, write = os.pipe()
    os.close(read)
    pipes: dict[str, Any] = {
        name: write if name in streams else subprocess.PIPE for name in ("stdout", "stderr")
    }
    words = [sys.executable, "-m", "orchestrator", *command.split()]
    try:
        return subprocess.run(words, cwd=place, env=environment(place), timeout=60, **pipes)
    finally:
        os.close(write)


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "compare --help",
        *(f"report run --format {name}" for name in [*FORMATS, "tex", "html"]),
        *(f"compare run run --format {name}" for name in ("table", "md", "json")),
        "explain run",
        "verify run",
        "run-status run",
        "merge run --out x.json",
        "models",
    ],
)
def test_a_reader_that_left_is_no_failed_gate(tmp_path: Path, run: Path, command: str) -> None:
    done = unread(tmp_path, command, "stdout")
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("command", ["report missing", "invented", "report --invented"])
def test_a_refusal_that_nobody_reads(tmp_path: Path, command: str) -> None:
    for streams in (["stderr"], ["stdout", "stderr"]):
        assert unread(tmp_path, command, *streams).returncode == 128 + signal.SIGPIPE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("name", FORMATS)
def test_output_to_a_full_disk(tmp_path: Path, run: Path, name: str) -> None:
    refused(shell(tmp_path, f"i report run --format {name} > /dev/full"), "No space left on device")


def test_closed_streams(tmp_path: Path, run: Path) -> None:
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        done = shell(tmp_path, f"i report run {closed}")
        assert (done.returncode, done.stderr) == (0, "")
    assert shell(tmp_path, "i report missing 2>&-").returncode == 2
    words = " ".join(FAKE)
    assert shell(tmp_path, f"i bench {words} --results quiet <&- >&- 2>&-").returncode == 0
    assert json.loads(inferometer(tmp_path, "run-status", "quiet", "--json").stdout)["state"] == "finished"


def test_a_home_is_not_needed(tmp_path: Path, run: Path) -> None:
    done = shell(tmp_path, "unset HOME INFEROMETER_CACHE XDG_CACHE_HOME; i report run; i models")
    assert done.returncode == 0
    assert done.stderr == ""

"""Two runs of the double compared on the command line, and a guilty commit found by git bisect."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import doubles
from tests.support.newcomer import environment, inferometer, measured, refused

# A latency of the clock, so that launches hardly scatter; four and four are enough for Mann-Whitney.
BENCH = (
    *("--engine", "process", "--runtimes", "fake", "--models", doubles.MODEL),
    *("--quick", "--launches", "4", "--option"),
)
SLOW = {"good": "200000", "bad": "400000"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of one case under different scripts, told to be one case."""
    place = tmp_path_factory.mktemp("runs")
    for name, latency_ns in SLOW.items():
        measured(inferometer(place, "bench", *BENCH, f"fake.latency_ns={latency_ns}", "--results", name))
        # The script is an option and so a part of the case; here it plays the code that changed.
        for file in ("run.json", "trials.jsonl", "summary.json"):
            path = place / name / file
            text = path.read_text().replace(f"latency_ns={latency_ns}", "latency_ns=1")
            path.write_text(text.replace(f'"{latency_ns}"', '"1"'))
    return place


def test_twice_as_slow_is_slower_and_fails_the_gate(runs: Path) -> None:
    done = inferometer(runs, "compare", "good", "bad", "--fail-if", "p50 > +5%")
    assert done.returncode == 1, done.stderr
    assert "1 case: 1 slower" in done.stdout
    assert "FAIL  p50 > +5%: holds in 1 of 1" in done.stdout


def test_a_run_does_not_differ_from_itself_nor_from_its_summary(runs: Path) -> None:
    for other in ("good", "good/summary.json"):
        done = inferometer(runs, "compare", "good", other, "--fail-if", "p50 > 0%", "--fail-if", "failed")
        assert (done.returncode, done.stderr) == (0, "")
        assert "1 case: 1 no difference" in done.stdout


def test_json_markdown_and_a_file(runs: Path) -> None:
    done = inferometer(runs, "compare", "good", "bad", "--json")
    document = json.loads(done.stdout)
    (row,) = document["cases"]
    assert (row["verdict"], row["obstacles"], row["differing"]) == ("slower", [], [])
    assert 1.5 < row["metrics"]["p50"]["ratio"]["low"] < 2 < row["metrics"]["p50"]["ratio"]["high"] + 0.2
    assert {"p90", "p99", "mean", "load", "process_memory", "bytes"} <= set(row["metrics"])
    assert row["metrics"]["p90"]["verdict"] != "faster"  # a tail: a busy machine may hide the difference
    done = inferometer(runs, "compare", "good", "bad", "--format", "md", "--out", "summary.md")
    assert (done.returncode, done.stdout) == (0, "")
    assert (runs / "summary.md").read_text().startswith("### 1 case: 1 slower\n")


def test_another_kernel_is_named_and_can_be_allowed(runs: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(runs / "bad", tmp_path / "other"))
    header = json.loads((other / "run.json").read_bytes())
    header["environment"]["kernel"] = "9.9.9"
    (other / "run.json").write_text(json.dumps(header))
    words = ["compare", str(runs / "good"), "other", "--fail-if", "p50 > +5%"]
    done = inferometer(tmp_path, *words)
    assert done.returncode == 125, done.stdout
    assert "/ 9.9.9" in done.stdout
    assert inferometer(tmp_path, *words, "--allow", "kernel").returncode == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["good", "missing"], "missing"),
        (["good", "bad", "--fail-if", "p50 >> 5"], "is no condition"),
        (["good", "bad", "--allow", "colour"], "unknown field of --allow"),
        (["good", "bad", "--least", "much"], "is no percentage"),
        (["good", "bad", "--out", "no/where"], "no"),
    ],
)
def test_refusals_have_one_line(runs: Path, words: list[str], complaint: str) -> None:
    refused(inferometer(runs, "compare", *words), complaint)


def git(place: Path, *words: str) -> str:
    identity = ["-c", "user.name=Bisect", "-c", "user.email=bisect@example.org"]
    done = subprocess.run(
        ["git", *identity, *words],
        cwd=place,
        env=environment(place, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_git_bisect_finds_the_guilty_commit(runs: Path, tmp_path: Path) -> None:
    """Eight commits, the sixth makes it slow, the fourth cannot be measured; a bench is a copy of a run."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    commits = []
    for number in range(1, 9):
        state = "broken" if number == 4 else "bad" if number >= 6 else "good"
        (repository / "code").write_text(f"{number} {state}\n")
        git(repository, "add", "code")
        git(repository, "commit", "--quiet", "--message", str(number))
        commits.append(git(repository, "rev-parse", "HEAD"))
    bench = tmp_path / "bench.sh"
    bench.write_text(f'read -r number state < code\ncp -r "{runs}/$state" "$RESULTS"\n')
    script = shutil.copy(doubles.ROOT / "docs" / "bisect.sh", tmp_path)
    git(repository, "bisect", "start", commits[-1], commits[0])
    done = subprocess.run(
        ["git", "bisect", "run", script, runs / "good", "p50 > +5%", "sh", bench],
        cwd=repository,
        env=environment(
            tmp_path, INFEROMETER=f"{sys.executable} -m orchestrator", BISECT=str(tmp_path / "results")
        ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{commits[5]} is the first bad commit" in done.stdout


def test_the_script_stops_a_bisection_that_compares_nothing(runs: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "one")

    def status(good: Path, condition: str, command: str) -> int:
        words = ["sh", str(doubles.ROOT / "docs" / "bisect.sh"), str(good), condition, "sh", "-c", command]
        more = {"INFEROMETER": f"{sys.executable} -m orchestrator", "BISECT": str(tmp_path / "results")}
        return subprocess.run(
            words, cwd=tmp_path, env=environment(tmp_path, **more), capture_output=True
        ).returncode

    assert status(runs / "good", "p50 > +5%", "exit 130") == 128
    assert status(runs / "good", "p50 > +5%", "exit 1") == 125
    assert status(runs / "good", "p50 > +5%", f'cp -r {runs}/bad "$RESULTS"') == 1
    assert status(runs / "good", "nonsense", "true") == 128
    assert status(tmp_path / "missing", "p50 > +5%", "true") == 128
    assert status(runs / "good", "energy > +5%", "true") == 125

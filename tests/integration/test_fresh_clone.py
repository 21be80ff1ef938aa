"""What the README promises a newcomer: clone, ``make bench``, ``make test``, nothing else by hand.

The clone holds what is committed. It gets no virtual environment; images, environments and exports are
the user's own (in a run on a bare machine there are none yet, so they are made here).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import suite_root
from tests.conftest import missing_docker

pytestmark = [pytest.mark.runtimes, pytest.mark.slow]

MODELS = {"digits-cnn", "mobilenet-v2", "resnet50"}
WAYS = {
    ("onnxruntime", ""),
    ("tflite", "delegate=xnnpack"),
    ("pytorch", "mode=eager"),
    ("pytorch", "mode=aot"),
}
MADE_ONCE = ("setting up", "building", "exporting", "compiling", "installing", "downloading")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (suite_root() / ".git").exists():
        pytest.skip("this is no git checkout, there is nothing to clone")
    folder = tmp_path_factory.mktemp("newcomer") / "inferometer"
    subprocess.run(["git", "clone", "--quiet", suite_root(), folder], check=True)
    return folder


def make(clone: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """``make`` in the clone, as from a new shell, its lock apart from every other bench's."""
    temporary = clone.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL", "MAKE"))
    }
    return subprocess.run(
        ["make", *words],
        cwd=clone,
        env={**inherited, "TMPDIR": str(temporary), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def possible(engine: str) -> set[tuple[str, str]]:
    """The ways there are here: outside of its image, ahead-of-time is skipped without a compiler."""
    compiled = {("pytorch", "mode=aot")}
    return WAYS if engine == "docker" or shutil.which("g++") else WAYS - compiled


def results(clone: Path, done: subprocess.CompletedProcess[str]) -> tuple[Path, dict[str, Any]]:
    """The folder that the last line names, and its document as ``report`` prints it."""
    assert done.returncode == 0, done.stdout + done.stderr
    folder = clone / done.stdout.splitlines()[-1]
    assert (folder / "trials.jsonl").is_file()
    printed = subprocess.run(
        [clone / ".venv/bin/inferometer", "report", folder, "--format", "json"],
        capture_output=True,
        check=True,
    )
    document: dict[str, Any] = json.loads(printed.stdout)
    assert document == json.loads((folder / "summary.json").read_bytes())
    return folder, document


def ways(rows: Sequence[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Model, runtime and options of each row."""
    cases = [row["case"] for row in rows]
    return {
        (case["model"], case["runtime"], ",".join("=".join(option) for option in case["options"].items()))
        for case in cases
    }


def test_make_bench_measures_every_model_in_every_runtime(clone: Path) -> None:
    done = make(clone, "bench", "QUICK=1")
    _, document = results(clone, done)
    rows = document["cases"]
    engine = "process" if missing_docker() else "docker"
    assert ways(rows) >= {(model, *way) for model in MODELS for way in possible(engine)}
    for row in rows:
        assert (row["failed"], row["launches"]) == (0, 3)
        assert row["p50_ns"] > 0
        assert row["parity"]["top1_equal"] == row["parity"]["total"] > 0
        assert (row["accuracy"] is None) == row["weights"].startswith("random")
    assert {row["engine"] for row in rows} == {engine}
    assert all(row["weights"] in done.stdout for row in rows)

    again = make(clone, "bench", "MODELS=digits-cnn", "QUICK=1")
    results(clone, again)
    assert not [line for line in again.stderr.splitlines() if line.strip().startswith(MADE_ONCE)]


def test_make_bench_without_an_engine_uses_environments_and_says_so(clone: Path) -> None:
    nowhere = f"unix://{clone}/no.sock"
    done = make(clone, "bench", "MODELS=digits-cnn", "QUICK=1", DOCKER_HOST=nowhere)
    _, document = results(clone, done)
    assert ways(document["cases"]) >= {("digits-cnn", *way) for way in possible("process")}
    assert {row["engine"] for row in document["cases"]} == {"process"}
    assert "engine: process, because " in done.stderr


def test_make_test_sets_up_what_it_needs(clone: Path) -> None:
    shutil.rmtree(clone / ".venv", ignore_errors=True)
    done = make(clone, "test", PYTEST_ADDOPTS="tests/unit/test_store.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "setting up .venv" in done.stderr
    assert " passed" in done.stdout

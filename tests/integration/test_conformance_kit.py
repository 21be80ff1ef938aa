"""``inferometer conformance`` as anybody starts it, on the suite's own runners: they keep the protocol.

Takes about three minutes; ONNX Runtime 45 s, LiteRT 30 s, the double 20 s in a container and 12 s as a
command. PyTorch needs three seconds for each of 38 launches: it is asked only what depends on it most, in
50 s; the whole is ``make conformance RUNTIME=pytorch``.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog, suite_root
from orchestrator.conformance.suite import CHECKS
from orchestrator.engines import images

ROOT = suite_root()
ALL = {check.name for check in CHECKS}
# No black box shows it.
UNSEEN = {"synchronised", "driver"}  # no image holds LoadGen
FAKE = shlex.join([sys.executable, str(ROOT / "runners/fake/runner.py")])
PUPPET = shlex.join([sys.executable, str(ROOT / "tests/conformance/puppet.py")])
PYTORCH = ("C1", "C3", "C5", "C8", "C9", "C10", "C16", "S3")


def conformance(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command itself, from a folder that is not the checkout, its lock apart from every other's."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(place)}
    command = [sys.executable, "-m", "orchestrator", "conformance", *words]
    return subprocess.run(
        command,
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )


def judged(place: Path, *words: str) -> dict[str, Any]:
    """The document of a runner that breaks nothing."""
    done = conformance(place, *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["violations"] == 0
    return document


def unchecked(document: dict[str, Any], state: str) -> set[str]:
    """The names of the checks in a state other than ok; each says why."""
    found = [check for check in document["checks"] if check["state"] == state]
    assert all("".join(check["details"]).strip() for check in found)
    return {check["name"] for check in found}


def of_runtime(place: Path, runtime: str, *words: str) -> dict[str, Any]:
    """A runtime of the suite, in a container of its image."""
    document = judged(place, "--runtime", runtime, "--engine", "docker", *words)
    assert (document["subject"], document["engine"]) == (f"runtime {runtime}", "docker")
    assert document["runtime"]
    assert document["version"]
    return document


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.slow
@pytest.mark.quiet
def test_litert_in_docker(tmp_path: Path) -> None:
    document = of_runtime(tmp_path, "tflite")
    assert {check["name"] for check in document["checks"]} == ALL
    assert unchecked(document, "not provoked") == UNSEEN
    assert unchecked(document, "skipped") == set()
    assert document["format"] == "tflite"


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.slow
def test_pytorch_in_docker(tmp_path: Path) -> None:
    asked = [word for clause in PYTORCH for word in ("--clause", clause)]
    document = of_runtime(tmp_path, "pytorch", *asked)
    assert {check["clause"] for check in document["checks"]} == set(PYTORCH)
    assert {check["state"] for check in document["checks"]} == {"ok"}
    assert document["format"] == "pt2"


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.quiet
def test_the_double_in_docker(tmp_path: Path) -> None:
    document = of_runtime(tmp_path, "fake")
    # A small interpreter has too little to say about itself for 10 MB.
    assert unchecked(document, "not provoked") == UNSEEN | {"stderr"}
    assert_skips_are_written(document)


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.slow
@pytest.mark.quiet
def test_any_image_without_its_runner_toml(tmp_path: Path) -> None:
    """The image alone is enough: its format is found by asking it."""
    reference = images.ensure("onnxruntime", ROOT, cache_root(), None, print).tag
    document = judged(tmp_path, "--image", reference)
    assert (document["subject"], document["format"]) == (f"image {reference}", "onnx")
    assert {check["name"] for check in document["checks"]} == ALL
    assert unchecked(document, "not provoked") == UNSEEN
    assert unchecked(document, "skipped") == set()


@pytest.mark.slow
@pytest.mark.quiet
def test_a_command_in_the_process_engine(tmp_path: Path) -> None:
    document = judged(tmp_path, "--command", FAKE)
    assert (document["subject"], document["engine"]) == (f"command {FAKE}", "process")
    assert {check["name"] for check in document["checks"]} == ALL
    assert unchecked(document, "not provoked") == UNSEEN | {"stderr", "sigterm-pid1"}
    assert_skips_are_written(document)


def assert_skips_are_written(document: dict[str, Any]) -> None:
    written = Catalog(ROOT).runtimes()["fake"].skips
    skipped = [check for check in document["checks"] if check["state"] == "skipped"]
    assert {check["clause"] for check in skipped} == set(written) != set()
    assert all(check["details"] == [written[check["clause"]]] for check in skipped)


def test_a_line_a_check_and_a_verdict(tmp_path: Path) -> None:
    done = conformance(tmp_path, "--command", FAKE, "--clause", "C8", "--clause", "C17")
    assert done.returncode == 0, done.stderr
    *lines, verdict = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "ok C8 hello",
        "skipped C17 no-model",
        "skipped C17 wrong-file",
    ]
    assert ": 1 ok, 0 violated, 2 not checked, in " in verdict


def test_a_violation_ends_with_3_and_is_named(tmp_path: Path) -> None:
    model, inputs = tmp_path / "m.puppet", tmp_path / "x.npy"
    model.write_bytes(b"PUPPET " + bytes(100) + b" END")
    np.save(inputs, np.zeros((3, 1, 4), np.float32))
    own = ["--model", str(model), "--inputs", str(inputs), "--format", "puppet"]
    done = conformance(tmp_path, "--command", f"{PUPPET} late-hello", *own, "--clause", "C8")
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("VIOLATED C8 hello: ")
    assert ": 0 ok, 1 violated, 0 not checked, in " in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of --runtime, --image, --command"),
        (["--command", "/no/such/program"], "/no/such/program is no program here"),
        (["--command", FAKE, "--clause", "C99"], "no clause or check is called C99"),
    ],
)
def test_a_refusal_is_one_line_and_ends_with_2(tmp_path: Path, words: list[str], said: str) -> None:
    done = conformance(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.docker
def test_an_image_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = conformance(tmp_path, "--image", "inferometer/none:such")
    assert done.returncode == 2
    assert "no image inferometer/none:such on this Docker Engine" in done.stderr
    assert len(done.stderr.splitlines()) == 1

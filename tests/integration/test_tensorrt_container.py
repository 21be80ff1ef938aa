"""TensorRT's container and a whole bench of it, without NVIDIA's images: the base is a double of one.

The base holds the doubles of TensorRT and CUDA and computes with ONNX Runtime, so accuracy and parity are
those of the real network. Dockerfile, orchestrator and runner are the real ones.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.engines import images
from tests.support import runners, tensorrt

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.runtimes]
ROOT = suite_root()
BASE = "inferometer-test/l4t:double"
PLACE = "/usr/local/lib/python3.11/dist-packages"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, engine_client: Any) -> Iterator[str]:
    """An image as a board's L4T release would have it."""
    folder = tmp_path_factory.mktemp("base")
    under = images.ensure("onnxruntime", ROOT, cache_root(), None, print)
    tensorrt.build_cudart(folder)
    for path in tensorrt.DOUBLES.glob("*.py"):
        shutil.copy(path, folder)
    (folder / "Dockerfile").write_text(
        f"FROM {under.tag}\nUSER 0\nCOPY *.py {PLACE}/\nCOPY libcudart.so /usr/lib/\nENV PYTHONPATH={PLACE}\n"
    )
    subprocess.run(["docker", "buildx", "build", "-q", "--load", "-t", BASE, folder], check=True)
    yield BASE
    engine_client.images.remove(BASE, force=True)


@pytest.fixture(scope="module")
def suite(base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout, where this machine is a board with a GPU and the double's L4T release."""
    folder = tmp_path_factory.mktemp("suite")
    for name in ("orchestrator", "runners", "models", "Dockerfiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.glob("orchestrator/devices/*.toml"):
        path.unlink()
    board = (
        'title = "Board"\nplatform = "linux/amd64"\nmin_launches = 3\nruntimes = ["tensorrt"]\n'
        "memory_reserve_bytes = 1_000_000_000\n"
        'tegra_release = "# R99 (release), REVISION: 1.0"\n[recognise]\narch = ["x86_64"]\n'
        "[accelerators.cpu]\n[accelerators.cuda]\n[cooldown]\nband_c = 3\ntimeout_s = 1\n"
        '[telemetry]\nsources = ["process"]\n'
    )
    (folder / "orchestrator/devices/board.toml").write_text(board)
    toml = folder / "runners/tensorrt/runner.toml"
    text = toml.read_text()
    newest = re.compile(r'"R36 \(release\)"\n(arguments = \{BASE = )"[^"]+"')
    text, count = newest.subn(f'"R99 (release)"\n\\1"{base}"', text)
    assert count == 1
    toml.write_text(text)
    return folder


def bench(suite: Path, results: Path, *words: str) -> tuple[int, str]:
    """Exit status and what was said."""
    command = [sys.executable, "-m", "orchestrator", "bench", "--results", results, "--quick"]
    command += ["--runtimes", "tensorrt", *words]
    # A lock of its own, and nothing that was compiled before.
    told = {**os.environ, "TMPDIR": str(suite), "INFEROMETER_CACHE": str(suite / "cache")}
    done = subprocess.run(command, cwd=suite, capture_output=True, text=True, env=told)
    return done.returncode, done.stderr


def records(results: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (results / "trials.jsonl").read_text().splitlines()]


def test_a_bench_from_onnx_to_the_table(suite: Path, tmp_path: Path) -> None:
    words = ("--models", "digits-cnn", "--option", "tensorrt.precision=fp32,int8")
    code, told = bench(suite, tmp_path / "run", *words)
    assert code == 0, told
    assert "compiling digits-cnn for tensorrt" in told
    cases = json.loads((tmp_path / "run/summary.json").read_bytes())["cases"]
    assert {row["case"]["options"]["precision"] for row in cases} == {"fp32", "int8"}
    for row in cases:
        assert (row["case"]["accelerator"], row["accuracy"]) == ("cuda", {"correct": 359, "total": 360})
        assert row["parity"]["top1_equal"] == 360
        parts = {part["name"]: part["p50_ns"] for part in row["parts"]}
        assert list(parts) == ["h2d", "compute", "d2h"]
        assert parts["compute"] > 0
    for record in records(tmp_path / "run"):
        made = record["artifact"]["compiled"]
        assert made["format"] == "engine" and made["build_ns"] > 0
        assert record["placement"]["executed"] == {"cuda": 2}
    engines = {record["artifact"]["compiled"]["sha256"] for record in records(tmp_path / "run")}
    assert len(engines) == 2  # one a precision, made once for all its launches

    code, told = bench(suite, tmp_path / "again", *words, "--launches", "1")
    assert code == 0, told
    assert "compiling" not in told


def test_an_unknown_release_is_a_skip_with_the_fix(suite: Path, tmp_path: Path) -> None:
    path = suite / "orchestrator/devices/board.toml"
    before = path.read_text()
    path.write_text(before.replace("R99", "R98"))
    try:
        code, told = bench(suite, tmp_path / "run", "--models", "digits-cnn")
    finally:
        path.write_text(before)
    assert (code, told.count("\n")) == (2, 1), told
    assert "field bases has no image for this board's L4T release (# R98 (release)" in told


@pytest.mark.parametrize("command", ["run", "describe"])
def test_no_gpu_in_the_container(base: str, tmp_path: Path, command: str) -> None:
    arguments = {"BASE": base, "REQUIREMENTS": "requirements-l4t.txt"}
    image = images.ensure("tensorrt", ROOT, cache_root(), None, print, arguments)
    words = ["docker", "run", "--rm", "-i", "--network=none", "--read-only", "--cap-drop=ALL", "--tmpfs=/tmp"]
    request = tensorrt.request(tmp_path, tensorrt.model(tmp_path))
    volume = f"{tmp_path}:{tmp_path}:ro"
    tmp_path.chmod(0o755)
    runners.write_npy(tmp_path / "inputs.npy", (1, 1, 3))
    done = subprocess.run(
        [*words, "-e", "CUDART_DEVICES=0", "-v", volume, image.tag, command],
        input=json.dumps(request).encode(),
        capture_output=True,
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["type"] == ("hello" if command == "describe" else "error"), done.stderr
    assert command == "describe" or last["code"] == "accelerator"

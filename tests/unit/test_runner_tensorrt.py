"""The TensorRT runner, whole, against doubles of TensorRT 8.2, 8.6, 10, 11 and of CUDA.

What is put on a stream of the double happens when it is synchronised, as late as a GPU may do it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.support import runners, tensorrt
from tests.support.runners import Ended
from tests.support.tensorrt import GENERATIONS

INPUTS = np.array([[[1, 2, 3]], [[4, 5, 6]]], dtype="float32")
SCHEMA = Draft202012Validator(json.loads((runners.RUNNERS / "protocol/v1.schema.json").read_bytes()))
GPU = "Double sm_87, 8 SMs, 7620 MiB, driver CUDA 12.6"
NUMPY36 = "numpy==1.19.5"  # the last for Python 3.6


@pytest.fixture(scope="module")
def cudart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tensorrt.build_cudart(tmp_path_factory.mktemp("cudart"))


@pytest.fixture(scope="module")
def python36(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A Python 3.6 and a folder with numpy for it, as JetPack 4 has them."""
    python, folder = runners.python36(), tmp_path_factory.mktemp("numpy")
    if python is None:
        pytest.skip("there is no Python 3.6 on this machine")
    words = [python, "-m", "pip", "install", "-q", "--target", str(folder), NUMPY36]
    if subprocess.run(words, capture_output=True, timeout=300).returncode:
        pytest.skip(f"{NUMPY36} for Python 3.6 is out of reach")
    return python, folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "inputs.npy", INPUTS)
    (tmp_path / "out").mkdir()
    return tmp_path


def run(folder: Path, cudart: Path | None, generation: str = "10.3.0", **given: Any) -> Ended:
    world = given.pop("world", None)
    fields = given.pop("model", {})
    line = tensorrt.request(folder, tensorrt.model(folder, **fields), **given)
    return tensorrt.launch(line, cudart, generation, world=world)


def complete(ended: Ended) -> None:
    """A run as the protocol has it, with what the double computes of INPUTS."""
    assert ended.exit_code == 0, ended.stderr
    for message in ended.messages:
        SCHEMA.validate(message)
    values = [message["values"] for message in ended.all("outputs")]
    assert values == [[6, 7], [15, 16]]  # the sum of the inputs, and one more
    parts = {message["name"]: message["values_ns"] for message in ended.all("parts")}
    assert list(parts) == ["h2d", "compute", "d2h"]
    assert all(len(series) == 200 and min(series) >= 0 for series in parts.values())
    assert max(parts["compute"]) > 0
    placement = ended.one("placement")
    assert (placement["requested"], placement["executed"]) == ("cuda", {"cuda": 2})
    assert placement["notes"][0] == GPU
    assert [node["op"] for node in placement["nodes"]] == ["CONVOLUTION", "MATRIX_MULTIPLY"]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_run_in_every_generation(folder: Path, cudart: Path, generation: str) -> None:
    ended = run(folder, cudart, generation)
    complete(ended)
    assert ended.one("hello")["version"] == generation
    assert {node["precision"] for node in ended.one("placement")["nodes"]} == {"fp32"}


def test_a_run_in_python36(folder: Path, cudart: Path, python36: tuple[str, Path]) -> None:
    line = tensorrt.request(folder, tensorrt.model(folder))
    python, packages = python36
    complete(tensorrt.launch(line, cudart, "8.2.1.8", python=python, packages=packages))


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_compiled_is_run(folder: Path, cudart: Path, generation: str) -> None:
    line = tensorrt.request(folder, tensorrt.model(folder), output_dir=str(folder / "out"))
    made = tensorrt.launch(line, cudart, generation, "compile")
    artifact = made.one("artifact")
    assert artifact["format"] == "engine" and artifact["build_ns"] > 0
    engine = {"path": artifact["path"], "format": "engine", "sha256": artifact["sha256"]}
    complete(tensorrt.launch({**line, "model": engine}, cudart, generation))
    other = tensorrt.launch({**line, "model": engine}, cudart, generation, world={"CUDART_SM": "72"})
    assert other.one("error")["code"] == "model"  # an engine of another GPU
    assert "refuses this engine: 6: The engine plan file is gen" in other.one("error")["message"]


@pytest.mark.parametrize(("name", "nodes"), [("a\tlayer", 2), ('a "layer"', 0)])
def test_names_of_layers_that_break_the_inspector_s_json(
    folder: Path, cudart: Path, name: str, nodes: int
) -> None:
    ended = run(folder, cudart, model={"name": name})
    placement = ended.one("placement")
    assert (ended.exit_code, placement["executed"]) == (0, {"cuda": nodes or None})
    assert ("gives no JSON" in placement["notes"][1]) is (nodes == 0)


def test_what_an_engine_is_good_for(cudart: Path) -> None:
    told = tensorrt.launch(b"", cudart, command="describe").one("hello")
    assert (told["accelerators"], told["target"]) == (["cuda"], GPU)
    for name, value in {"CUDART_SMS": "4", "CUDART_MIB": "3900"}.items():  # a smaller board of that name
        other = tensorrt.launch(b"", cudart, command="describe", world={name: value}).one("hello")
        assert other["target"] != GPU
    for world in ({"CUDART_DEVICES": "0"}, {"CUDART_FAIL": "cudaMemGetInfo"}):
        without = tensorrt.launch(b"", cudart, command="describe", world=world)
        assert without.exit_code == 0
        assert "target" not in without.one("hello")


@pytest.mark.parametrize(
    ("generation", "precision", "flags"),
    [
        ("8.2.1.8", "fp32", []),
        ("8.6.1", "tf32", ["TF32"]),
        ("10.3.0", "fp16", ["FP16"]),
        ("11.4.0", "tf32", ["TF32"]),
    ],
)
def test_precision_is_what_was_asked_for(
    folder: Path, cudart: Path, generation: str, precision: str, flags: list[str]
) -> None:
    options = {"precision": precision}
    line = tensorrt.request(folder, tensorrt.model(folder), output_dir=str(folder / "out"), options=options)
    tensorrt.launch(line, cudart, generation, "compile").one("artifact")
    head = (folder / "out/model.engine").read_bytes().partition(b"\0")[0]
    assert json.loads(head)["flags"] == flags


@pytest.mark.parametrize("generation", ["8.2.1.8", "8.6.1", "10.3.0"])
def test_int8_is_calibrated_with_every_tensor(folder: Path, cudart: Path, generation: str) -> None:
    line = tensorrt.request(
        folder, tensorrt.model(folder), output_dir=str(folder / "out"), options={"precision": "int8"}
    )
    tensorrt.launch(line, cudart, generation, "compile").one("artifact")
    said = json.loads((folder / "out/model.engine").read_bytes().partition(b"\0")[0])
    assert said["scales"] == [0, 6, 2]  # lowest, highest, batches
    assert said["flags"] == ["INT8"]


def test_int8_of_a_quantized_model_needs_no_calibration(folder: Path, cudart: Path) -> None:
    for generation in GENERATIONS:
        line = tensorrt.request(
            folder,
            tensorrt.model(folder, layers=["QUANTIZE", "CONVOLUTION"]),
            output_dir=str(folder / "out"),
            options={"precision": "int8"},
            inputs="",
        )
        assert tensorrt.launch(line, cudart, generation, "compile").exit_code == 0
        said = json.loads((folder / "out/model.engine").read_bytes().partition(b"\0")[0])
        assert said["scales"] is None


@pytest.mark.parametrize(
    ("generation", "given", "code", "words"),
    [
        ("8.2.1.8", {"options": {"precision": "int8"}, "world": {"CUDART_SM": "53"}}, "unsupported", "sm_53"),
        *[
            (
                generation,
                {"options": {"precision": "tf32"}, "world": {"CUDART_SM": "72"}},
                "unsupported",
                "tf32",
            )
            for generation in GENERATIONS
        ],
        ("11.4.0", {"options": {"precision": "fp16"}}, "unsupported", "takes precision from the model"),
        ("11.4.0", {"options": {"precision": "int8"}}, "unsupported", "takes precision from the model"),
        ("10.3.0", {"model": {"input": [-1, 3]}}, "unsupported", "input has the open shape [-1, 3]"),
        ("8.2.1.8", {"model": {"output": [-1, 2]}}, "unsupported", "logits has the open shape [-1, 2]"),
        ("10.3.0", {"accelerator": "cpu"}, "unsupported", "accelerator cpu is not supported; known: cuda"),
        (
            "8.6.1",
            {"world": {"CUDART_FAIL": "cudaMalloc"}},
            "resource",
            "no engine: 1: [defaultAllocator.cpp",
        ),
        (
            "8.6.1",
            {"world": {"CUDART_FAIL": "cudaMalloc", "CUDART_AFTER": "1"}},
            "resource",
            "cudaMalloc: out of memory (2)",
        ),
        ("8.6.1", {"world": {"CUDART_FAIL": "cudaStreamSynchronize"}}, "accelerator", "launch failure (719)"),
        (
            "8.6.1",
            {"world": {"CUDART_FAIL": "cudaHostAlloc"}},
            "resource",
            "cudaHostAlloc: out of memory (2)",
        ),
        ("8.6.1", {"world": {"CUDART_FAIL": "cudaEventCreate"}}, "accelerator", "cudaEventCreate: invalid"),
        (
            "10.3.0",
            {"options": {"precision": "int8"}, "world": {"CUDART_FAIL": "cudaMemcpyAsync"}},
            "accelerator",
            "cudaMemcpyAsync: invalid argument",  # in the calibration, which is called from C++
        ),
        (
            "10.3.0",
            {"world": {"CUDART_FAIL": "cudaMemcpyAsync", "CUDART_AFTER": "100"}},
            "accelerator",
            "invalid argument",
        ),
    ],
)
def test_what_cannot_be_is_said(
    folder: Path, cudart: Path, generation: str, given: dict[str, Any], code: str, words: str
) -> None:
    ended = run(folder, cudart, generation, **given)
    error = ended.one("error")
    assert ended.exit_code == 1
    assert error["code"] == code, error
    assert words in error["message"]


def test_int8_without_anything_to_calibrate_with(folder: Path, cudart: Path) -> None:
    given = {"options": {"precision": "int8"}, "inputs": "", "output_dir": str(folder / "out")}
    line = tensorrt.request(folder, tensorrt.model(folder), **given)
    error = tensorrt.launch(line, cudart, command="compile").one("error")
    assert (error["code"], "calibration set" in error["message"]) == ("unsupported", True)


def test_fp16_of_a_typed_model_in_the_newest(folder: Path, cudart: Path) -> None:
    complete(run(folder, cudart, "11.4.0", options={"precision": "fp16"}, model={"type": "HALF"}))


@pytest.mark.parametrize("world", [{"CUDART_DEVICES": "0"}, None], ids=["no GPU", "no CUDA"])
@pytest.mark.parametrize("command", ["run", "compile", "inspect"])
def test_without_a_gpu(folder: Path, cudart: Path, command: str, world: dict[str, str] | None) -> None:
    """Said before any object of TensorRT's is made, which would end the process."""
    line = tensorrt.request(folder, tensorrt.model(folder), output_dir=str(folder / "out"))
    ended = tensorrt.launch(line, cudart if world else None, command=command, world=world)
    assert (ended.exit_code, ended.one("error")["code"]) == (1, "accelerator"), ended.stderr


def test_a_file_that_is_no_model(folder: Path, cudart: Path) -> None:
    ended = tensorrt.launch(tensorrt.request(folder, b"{no model"), cudart)
    assert ended.one("error")["code"] == "model"
    assert "INVALID_GRAPH" in ended.one("error")["message"]

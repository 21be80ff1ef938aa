"""Arm NN in its container: its reference kernels on any machine, its Neon kernels where there is Neon.

Takes about a minute, most of it the conformance check.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import buildx, images, venvs
from tests.integration.test_conformance_kit import UNSEEN, of_runtime, unchecked
from tests.integration.test_runners_real import DIGITS, REFERENCE, SCHEMA, request, top1
from tests.support import runners

pytestmark = [pytest.mark.docker, pytest.mark.runtimes, pytest.mark.slow]

MODEL = DIGITS / "model.tflite"
ON_ARM = os.uname().machine == "aarch64"
# The weights of one layer become int8, as in a file with dynamic-range quantization.
QUANTIZE = """
import sys, flatbuffers, numpy
from ai_edge_litert import schema_py_generated as schema
model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(open(sys.argv[1], "rb").read()))
(graph,) = model.subgraphs
codes = [code.builtinCode for code in model.operatorCodes]
wanted = schema.BuiltinOperator.DEPTHWISE_CONV_2D
(layer,) = [operator for operator in graph.operators if codes[operator.opcodeIndex] == wanted]
weights = graph.tensors[layer.inputs[1]]
data = numpy.asarray(model.buffers[weights.buffer].data, numpy.uint8).view(numpy.float32)
scale = float(abs(data).max() / 127)
model.buffers[weights.buffer].data = numpy.round(data / scale).astype(numpy.int8).view(numpy.uint8)
weights.type, weights.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
weights.quantization.scale, weights.quantization.zeroPoint = [scale], [0]
builder = flatbuffers.Builder()
builder.Finish(model.Pack(builder), b"TFL3")
open(sys.argv[2], "wb").write(builder.Output())
"""


@pytest.fixture(scope="module")
def image() -> str:
    """The image of Arm NN, built where it is not there."""
    return images.ensure("armnn", suite_root(), cache_root(), None, print).tag


def launch(image: str, model: Path = MODEL, command: str = "run", **fields: Any) -> runners.Ended:
    """One container as shut off as a bench's; every line must be valid."""
    line = {**request("tflite", {}, inputs="/inputs.npy"), **fields}
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    line["model"] = {"path": "/model.tflite", "format": "tflite", "sha256": sha256}
    shut = ["--rm", "--interactive", "--init", "--network=none", "--read-only", "--tmpfs=/tmp"]
    mounts = [f"--volume={model}:/model.tflite:ro", f"--volume={DIGITS / 'inputs-nhwc.npy'}:/inputs.npy:ro"]
    done = subprocess.run(
        [str(buildx.find_buildx()), "run", *shut, *mounts, image, command],
        input=json.dumps(line).encode() + b"\n",
        capture_output=True,
        timeout=120,
    )
    ended = runners.Ended(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
    for message in ended.messages:
        SCHEMA.validate(message)
    return ended


def reference_is_given(ended: runners.Ended, difference: float) -> None:
    """The run gave the reference's outputs."""
    assert ended.exit_code == 0, ended.stderr
    outputs = [message["values"] for message in ended.all("outputs")]
    assert [top1(ours) for ours in outputs] == [top1(theirs) for theirs in REFERENCE]
    pairs = zip(outputs, REFERENCE, strict=True)
    assert max(abs(a - b) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True)) < difference


def refused(ended: runners.Ended) -> tuple[str, str]:
    """Code and message of a run that failed."""
    assert ended.exit_code == 1
    error = ended.one("error")
    assert "\n" not in error["message"]
    return error["code"], error["message"]


@pytest.mark.quiet
def test_it_keeps_the_protocol(tmp_path: Path) -> None:
    document = of_runtime(tmp_path, "armnn", "--option", "backend=CpuRef")
    assert unchecked(document, "not provoked") == UNSEEN
    assert unchecked(document, "skipped") == set()


def test_reference_kernels_give_the_reference_and_are_named(image: str) -> None:
    ended = launch(image, options={"backend": "CpuRef"})
    reference_is_given(ended, 1e-4)
    placement = ended.one("placement")
    assert placement["executed"] == {"CpuRef": len(placement["nodes"])}
    operations = [node["op"] for node in placement["nodes"]]
    assert (operations.count("Convolution2d"), operations.count("Pooling2d")) == (2, 2)
    assert "Constant" not in operations
    assert ended.one("hello")["version"] == "33.0.0"


def test_half_precision_shows_in_the_kernels_and_in_the_outputs(image: str) -> None:
    ended = launch(image, options={"backend": "CpuRef", "fp16": "on"})
    reference_is_given(ended, 0.05)
    assert "ConvertFp32ToFp16" in [node["op"] for node in ended.one("placement")["nodes"]]
    first = ended.all("outputs")[0]["values"]
    assert max(abs(a - b) for a, b in zip(first, REFERENCE[0], strict=True)) > 1e-5


@pytest.mark.parametrize("backend", ["CpuAcc", "CpuAcc+CpuRef", None])
def test_neon_where_there_is_none(image: str, backend: str | None) -> None:
    ended = launch(image, options={"backend": backend} if backend else {})
    if ON_ARM:
        reference_is_given(ended, 1e-3)
        assert set(ended.one("placement")["executed"]) == {"CpuAcc"}
    else:
        code, message = refused(ended)
        assert code == "accelerator"
        assert message.startswith("Arm NN has no backend CpuAcc here, only CpuRef; ")
        assert "backend=CpuRef" in message


@pytest.mark.parametrize("wish", [{"threads": 2}, {"options": {"backend": "CpuRef", "fast_math": "on"}}])
def test_what_reference_kernels_cannot_do_is_refused(image: str, wish: dict[str, Any]) -> None:
    code, message = refused(launch(image, **{"options": {"backend": "CpuRef"}, **wish}))
    assert code == "unsupported"
    assert "one thread and no fast math" in message


def test_garbage_is_an_error_of_the_model_whatever_the_backend(image: str, tmp_path: Path) -> None:
    garbage = tmp_path / "model.tflite"
    garbage.write_bytes(bytes(range(256)) * 64)
    for command in ("inspect", "run"):
        code, message = refused(launch(image, garbage, command))
        assert code == "model"
        assert "Tensorflow Lite flatbuffers format" in message


def test_a_refused_layer_is_named_with_the_reason(image: str, tmp_path: Path) -> None:
    try:
        python = venvs.ensure("tflite", runners.RUNNERS / "tflite", cache_root(), lambda text: None)
    except InferometerError as problem:
        pytest.skip(f"LITERT CANNOT BE INSTALLED, A REFUSED LAYER IS NOT TESTED: {problem}")
    quantized = tmp_path / "dynamic.tflite"
    subprocess.run([str(python), "-c", QUANTIZE, str(MODEL), str(quantized)], check=True)
    code, message = refused(launch(image, quantized, options={"backend": "CpuRef"}))
    assert code == "model"
    assert "Failed to assign a backend to each layer" in message
    assert "Layer of type DepthwiseConvolution2d is not supported on requested backend CpuRef" in message
    assert "input and weights types mismatched" in message

"""A newcomer's own model files: measured, or refused in one line; real ONNX bytes are written by hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.engines import images
from tests.support import doubles
from tests.support.newcomer import inferometer, measured, refused

QUICK = ("--quick", "--launches", "1")
FAKE = ("--engine", "process", "--runtimes", "fake", *QUICK, "--option", "fake.latency_ns=50000")
ORT = ("--engine", "docker", "--runtimes", "onnxruntime", *QUICK)
SHIPPED = doubles.ROOT / "models/artifacts/digits-cnn/nq/b1"


def bench(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return inferometer(place, "bench", *FAKE, *words)


def document(
    path: Path, shape: Sequence[Any], dtype: str = "float32", count: int = 1, classes: int = 3
) -> None:
    """A model of the scripted double: it says what its inputs are, and that the last class is best."""
    tensor = {"name": "input", "shape": shape, "dtype": dtype, "quantization": None}
    outputs = [[0.0] * (classes - 1) + [1.0]]
    path.write_text(json.dumps({"inputs": [tensor] * count, "outputs": outputs}))


def picture(path: Path, mode: str = "RGB") -> None:
    Image.new(mode, (9, 7)).save(path)


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "classes", "mode"),
    [
        ("my.onnx", [1, 3, 8, 6], "float32", 1000, "RGB"),
        ("my.tflite", [1, 8, 6, 3], "uint8", 1001, "RGBA"),
        ("my.TFLITE", [1, 8, 6, 1], "int8", 10, "L"),
        ("m y (ü),b.onnx", ["N", 1, 8, 6], "float32", 2, "P"),
        ("-x.onnx", [1, 3, 8, 6], "uint8", 2, "LA"),
    ],
)
def test_what_fits_is_measured(
    tmp_path: Path, name: str, shape: list[Any], dtype: str, classes: int, mode: str
) -> None:
    document(tmp_path / name, shape, dtype, classes=classes)
    picture(tmp_path / "cat.png", mode)
    more = ["--input-range=-1,1"] if dtype == "float32" else []
    done = bench(tmp_path, "--model", name, "--image", "cat.png", *more, "--results", "run")
    measured(done)
    assert done.stdout.splitlines()[-1] == "run"
    assert f"cat.png: class {classes - 1} (1) by {Path(name).stem} in fake" in done.stdout
    assert "yours" in done.stdout


@pytest.mark.parametrize(
    ("shape", "dtype", "count", "complaint"),
    [
        ([1, 3, 8, 8], "float32", 2, "has 2 inputs; only single-input image classifiers fit"),
        ([1, 1000], "float32", 1, "is no batch of images (4 dimensions)"),
        ([1, 3, "H", "W"], "float32", 1, "has free dimensions; export it with fixed ones"),
        ([1, 8, 8, 8], "float32", 1, "does not tell where the channels are"),
        ([1, 3, 8, 8], "float16", 1, "input type float16 is not supported; known: float32, uint8, int8"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, shape: list[Any], dtype: str, count: int, complaint: str
) -> None:
    document(tmp_path / "my.onnx", shape, dtype, count)
    refused(bench(tmp_path, "--model", "my.onnx", "--results", "run"), "my.onnx: ", complaint)
    assert not (tmp_path / "run").exists()


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "model.h5").write_text("x")
    document(tmp_path / "new\nline.onnx", [1, 3, 8, 8])
    for name in ("missing.onnx", "folder.onnx"):
        refused(bench(tmp_path, "--model", name), f"{name}: there is no such file")
    refused(bench(tmp_path, "--model", "model.h5"), "model.h5: the ending", "use .onnx, .tflite or .pt2")
    refused(bench(tmp_path, "--model", "new\nline.onnx"), "its name holds control characters; rename")
    done = inferometer(tmp_path, "bench", "--runtimes", "tflite", "--engine", "process", "--model", "x.onnx")
    refused(done, "x.onnx: none of tflite loads .onnx")


def test_a_runtime_that_dies_of_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "my.onnx").write_text("{ no document")
    refused(bench(tmp_path, "--model", "my.onnx"), "my.onnx: fake cannot load it: ")


def test_pictures_that_are_none(tmp_path: Path) -> None:
    document(tmp_path / "my.onnx", [1, 3, 8, 8])
    picture(tmp_path / "cat.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    for name in ("text.png", "folder.png", "missing.png"):
        done = bench(tmp_path, "--model", "my.onnx", "--image", name, "--input-range", "0,1")
        refused(done, f"{name}: no readable picture")
    done = bench(tmp_path, "--model", "my.onnx", "--image", "cat.png")
    refused(done, "my.onnx: takes float pixels of a range", "give --input-range, e.g. 0,1")


def test_one_name_stands_for_one_model(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for name in ("my.onnx", "other/my.onnx", "digits-cnn.onnx"):
        document(tmp_path / name, [1, 3, 8, 8])
    done = bench(tmp_path, "--model", "my.onnx", "--model", "other/my.onnx")
    refused(done, "other/my.onnx: has the name of my.onnx; rename one of them")
    done = bench(tmp_path, "--models", "digits-cnn", "--model", "digits-cnn.onnx")
    refused(done, "digits-cnn.onnx: digits-cnn is a model of --models too; rename the file")


def test_the_batch_is_the_file_s(tmp_path: Path) -> None:
    document(tmp_path / "my.onnx", [1, 3, 8, 8])
    done = bench(tmp_path, "--model", "my.onnx", "--batch", "4")
    refused(done, "--batch: a model file of your own fixes its batch; leave the option out")


def test_one_model_in_two_formats_is_measured_once_each(tmp_path: Path) -> None:
    for name in ("my.onnx", "my.tflite"):
        document(tmp_path / name, [1, 3, 8, 8])
    measured(bench(tmp_path, "--model", "my.onnx", "--model", "my.tflite", "--results", "run"))
    assert len((tmp_path / "run/trials.jsonl").read_bytes().splitlines()) == 1


def test_a_link_goes_by_its_own_name(tmp_path: Path) -> None:
    document(tmp_path / "blob", [1, 3, 8, 8])
    (tmp_path / "my.onnx").symlink_to("blob")
    measured(bench(tmp_path, "--model", "my.onnx", "--results", "run"))
    (line,) = (tmp_path / "run/trials.jsonl").read_bytes().splitlines()
    assert json.loads(line)["case"]["model"] == "my"


def field(number: int, value: int | bytes | str) -> bytes:
    """One protobuf field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3}  # onnx.TensorProto.DataType


def value_info(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """onnx.ValueInfoProto: a named tensor; a word is a symbolic size."""
    sizes = [field(1, size) if isinstance(size, int) else field(2, size) for size in shape]
    tensor = field(1, ELEMENTS[dtype]) + field(2, b"".join(field(1, size) for size in sizes))
    return field(1, name) + field(2, field(1, tensor))


def onnx(path: Path, shape: Sequence[int | str], dtype: str = "float32", op: str = "Flatten") -> None:
    """onnx.ModelProto of one node: every pixel is a class; ``Add`` has two inputs."""
    names = ["a", "b"] if op == "Add" else ["a"]
    node = b"".join(field(1, name) for name in names) + field(2, "y") + field(4, op)
    graph = field(1, node) + field(2, "graph")
    graph += b"".join(field(11, value_info(name, dtype, shape)) for name in names)
    graph += field(12, value_info("y", dtype, shape if op == "Add" else ["n", "classes"]))
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13)))


@pytest.fixture
def onnxruntime(tmp_path: Path) -> None:
    """Its image, built where it is not there, and a folder that its user may enter."""
    images.ensure("onnxruntime", suite_root(), cache_root(), None, print)
    tmp_path.chmod(0o755)


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.usefixtures("onnxruntime")
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [([1, 3, 2, 2], "float32"), (["N", 2, 2, 3], "uint8"), ([1, 1, 4, 5], "int8")],
)
def test_real_onnx_files(tmp_path: Path, shape: list[int | str], dtype: str) -> None:
    name = "m y (ü),b.onnx"
    onnx(tmp_path / name, shape, dtype)
    Image.new("RGB", (4, 4), (200, 100, 50)).save(tmp_path / "cat.png")
    more = ["--input-range", "0,255"] if dtype == "float32" else []
    done = inferometer(tmp_path, "bench", *ORT, "--model", name, "--image", "cat.png", *more)
    measured(done)
    value = {"float32": 200, "uint8": 200, "int8": -4}[dtype]  # grey of the colour is 124
    assert f"cat.png: class 0 ({value}) by m y (ü),b in onnxruntime" in done.stdout


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.usefixtures("onnxruntime")
def test_what_only_its_owner_may_read(tmp_path: Path) -> None:
    onnx(tmp_path / "my.onnx", [1, 3, 2, 2])
    for path, mode in ((tmp_path / "my.onnx", 0o600), (tmp_path, 0o700)):
        before = path.stat().st_mode
        path.chmod(mode)
        done = inferometer(tmp_path, "bench", *ORT, "--model", "my.onnx")
        refused(done, "my.onnx: file or folder is private", "chmod o+r the file")
        path.chmod(before)


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.usefixtures("onnxruntime")
def test_real_refusals(tmp_path: Path) -> None:
    onnx(tmp_path / "two.onnx", [1, 3, 2, 2], op="Add")
    onnx(tmp_path / "bad.onnx", [1, 3, 2, 2], op="Flattne")
    (tmp_path / "text.onnx").write_text("this is a text\n")
    (tmp_path / "empty.onnx").touch()
    whole = (SHIPPED / "model.onnx").read_bytes()
    (tmp_path / "half.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "lite.onnx").write_bytes((SHIPPED / "model.tflite").read_bytes())
    done = inferometer(tmp_path, "bench", *ORT, "--model", "two.onnx")
    refused(done, "two.onnx: has 2 inputs")
    for name in ("bad.onnx", "text.onnx", "empty.onnx", "half.onnx", "lite.onnx"):
        done = inferometer(tmp_path, "bench", *ORT, "--model", name)
        refused(done, f"{name}: onnxruntime cannot load it: ")

"""A user's own model file: its input is understood or refused, and the tensors lie as it wants them."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from orchestrator.domain import InferometerError
from orchestrator.own import Input, OwnModel, bring_in, npy, parse_range, read_input, tensor

PATH = Path("my.tflite")


def signature(shape: Any, dtype: str = "float32", count: int = 1) -> dict[str, Any]:
    one = {"name": "input", "shape": shape, "dtype": dtype, "quantization": None}
    return {"inputs": [one] * count, "outputs": [{**one, "shape": [1, 1000]}]}


@pytest.mark.parametrize(
    ("shape", "layout", "size", "channels"),
    [
        ([1, 3, 224, 160], "NCHW", (160, 224), 3),
        ([1, 224, 160, 3], "NHWC", (160, 224), 3),
        ([4, 1, 28, 28], "NCHW", (28, 28), 1),
        ([1, 28, 28, 1], "NHWC", (28, 28), 1),
        (["N", 3, 32, 32], "NCHW", (32, 32), 3),
        ([None, 32, 32, 3], "NHWC", (32, 32), 3),
        ([-1, 32, 32, 3], "NHWC", (32, 32), 3),
        ([0, 32, 32, 3], "NHWC", (32, 32), 3),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_layouts(shape: list[Any], layout: str, size: tuple[int, int], channels: int, dtype: str) -> None:
    spec = read_input(PATH, signature(shape, dtype))
    assert (spec.layout, spec.size, spec.channels, spec.dtype) == (layout, size, channels, dtype)
    assert spec.shape[0] == (4 if shape[0] == 4 else 1)
    assert spec.shape[1:] == tuple(shape[1:])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (signature([1, 3, 8, 8], count=2), "has 2 inputs; only single-input image classifiers fit"),
        (signature([1, 1000]), "input shape [1, 1000] is no batch of images (4 dimensions)"),
        (
            signature([1, 3, "H", "W"]),
            "input shape [1, 3, 'H', 'W'] has free dimensions; export it with fixed",
        ),
        (signature([1, 3, 0, 8]), "has free dimensions"),
        (signature([1, 3, None, 8]), "has free dimensions"),
        (signature([1, 3, 8, 3]), "input shape [1, 3, 8, 3] does not tell where the channels are"),
        (signature([1, 1, 8, 3]), "does not tell where the channels are"),
        (signature([1, 4, 8, 8]), "does not tell where the channels are"),
        (signature([1, 8, 8, 16]), "does not tell where the channels are"),
        (
            signature([1, 3, 8, 8], "float16"),
            "input type float16 is not supported; known: float32, uint8, int8",
        ),
        (signature([1, 3, 8, 8], "int64"), "input type int64 is not supported"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InferometerError) as caught:
        read_input(PATH, given)
    assert str(caught.value).startswith(f"{PATH}: ")
    assert complaint in str(caught.value)


@st.composite
def specs(draw: st.DrawFn) -> Input:
    batch, channels = draw(st.integers(1, 3)), draw(st.sampled_from([1, 3]))
    height, width = draw(st.integers(4, 9)), draw(st.integers(4, 9))
    layout = draw(st.sampled_from(["NCHW", "NHWC"]))
    sides = (channels, height, width) if layout == "NCHW" else (height, width, channels)
    return Input((batch, *sides), layout, draw(st.sampled_from(["float32", "uint8", "int8"])))


@given(specs(), st.randoms(use_true_random=False), st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]))
def test_tensors_lie_as_the_model_wants_them(spec: Input, chance: Any, limits: tuple[float, float]) -> None:
    width, height = spec.size
    pixels = chance.randbytes(width * height * spec.channels)
    content = npy((1, *spec.shape), spec.dtype, tensor(spec, pixels, limits))
    found = numpy.load(io.BytesIO(content))
    assert found.shape == (1, *spec.shape)
    assert found.dtype == numpy.dtype(spec.dtype)
    assert found.flags.c_contiguous
    image = numpy.frombuffer(pixels, "uint8").reshape(height, width, spec.channels)
    if spec.layout == "NCHW":
        image = image.transpose(2, 0, 1)
    if spec.dtype == "int8":
        image = (image.astype(int) - 128).astype("int8")
    if spec.dtype == "float32":
        low, high = limits
        image = (low + (high - low) * (image.astype(float) / 255)).astype("float32")
    for number in range(spec.shape[0]):
        numpy.testing.assert_allclose(found[0, number], image, rtol=0, atol=2e-5)


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.sampled_from(["float32", "uint8", "int8"])
)
def test_headers_of_any_shape_are_aligned_and_readable(shape: list[int], dtype: str) -> None:
    content = npy(shape, dtype, b"")
    assert len(content) % 64 == 0
    stream = io.BytesIO(content)
    assert numpy.lib.format.read_magic(stream) == (1, 0)
    expected = (tuple(shape), False, numpy.dtype(dtype))
    assert numpy.lib.format.read_array_header_1_0(stream) == expected


@pytest.mark.parametrize(("text", "limits"), [("0,1", (0.0, 1.0)), ("-1, 1", (-1.0, 1.0)), (None, None)])
def test_ranges(text: str | None, limits: tuple[float, float] | None) -> None:
    assert parse_range(text) == limits


@pytest.mark.parametrize("text", ["", "1", "a,b", "0,1,2", "nan,1", "0,inf", "1,1", "1,0"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InferometerError, match="--input-range .*: give two numbers like 0,1 or -1,1"):
        parse_range(text)


@pytest.mark.parametrize("name", ["model.h5", "model", "model.onnx.txt", ".onnx"])
def test_an_unknown_ending_is_refused(name: str) -> None:
    with pytest.raises(InferometerError, match=r"use \.onnx, \.tflite or \.pt2"):
        assert OwnModel(Path(name)).format


def model_file(folder: Path) -> Path:
    path = folder / "my.tflite"
    path.write_bytes(b"a model")
    return path


def test_a_file_becomes_an_artifact_with_a_seeded_picture(tmp_path: Path) -> None:
    own = OwnModel(model_file(tmp_path))
    artifact = bring_in(own, signature([1, 8, 8, 3], "uint8"), "ab" * 32, tmp_path / "cache", 7)
    assert (artifact.model, artifact.format, artifact.weights) == ("my", "tflite", "yours")
    assert artifact.reference is artifact.labels is None
    assert artifact.bytes == 7
    first = numpy.load(artifact.inputs)
    assert first.shape == (1, 1, 8, 8, 3)
    again = bring_in(own, signature([1, 8, 8, 3], "uint8"), "ab" * 32, tmp_path / "cache", 7)
    assert (numpy.load(again.inputs) == first).all()
    other = bring_in(own, signature([1, 8, 8, 3], "uint8"), "ab" * 32, tmp_path / "cache", 8)
    assert (numpy.load(other.inputs) != first).any()


def test_pictures_are_resized_and_converted(tmp_path: Path) -> None:
    red, grey = tmp_path / "red.png", tmp_path / "grey.jpg"
    Image.new("RGB", (50, 20), (255, 0, 0)).save(red)
    Image.new("L", (9, 9), 128).save(grey)
    own = OwnModel(model_file(tmp_path), (red, grey), (0.0, 1.0))
    artifact = bring_in(own, signature([1, 3, 4, 5]), "ab" * 32, tmp_path / "cache", 0)
    found = numpy.load(artifact.inputs)
    assert found.shape == (2, 1, 3, 4, 5)
    assert found[0, 0, 0].min() == 1.0
    assert found[0, 0, 1:].max() == 0.0
    assert found[1] == pytest.approx(128 / 255, abs=0.01)
    assert artifact.images == (str(red), str(grey))


def test_float_pixels_need_a_range(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "x.png")
    own = OwnModel(model_file(tmp_path), (tmp_path / "x.png",))
    with pytest.raises(InferometerError, match="give --input-range, e.g. 0,1"):
        bring_in(own, signature([1, 1, 4, 4]), "ab" * 32, tmp_path, 0)


@pytest.mark.parametrize(
    "content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + b"x" * 99]
)
def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    picture = tmp_path / "x.png"
    if content is not None:
        picture.write_bytes(content)
    own = OwnModel(model_file(tmp_path), (picture,), (0.0, 1.0))
    with pytest.raises(InferometerError, match="no readable picture") as caught:
        bring_in(own, signature([1, 1, 4, 4]), "ab" * 32, tmp_path, 0)
    assert str(caught.value).startswith(f"{picture}: ")
    assert "\n" not in str(caught.value)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_picture_is_read_or_refused(data: st.DataObject) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (6, 6), (1, 2, 3)).save(stream, "PNG")
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "x.png"
        picture.write_bytes(content)
        own = OwnModel(model_file(Path(folder)), (picture,), (0.0, 1.0))
        try:
            bring_in(own, signature([1, 1, 4, 4]), "ab" * 32, Path(folder), 0)
        except InferometerError as problem:
            assert "\n" not in str(problem)

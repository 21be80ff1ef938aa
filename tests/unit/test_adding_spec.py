"""What is read from a model's signature, and what is asked for by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.adding import spec
from orchestrator.domain import InferometerError

PATH = Path("my.onnx")


def signature(shape: list[Any], dtype: str = "float32", outputs: list[Any] | None = None) -> dict[str, Any]:
    tensor = {"name": "x", "shape": shape, "dtype": dtype, "quantization": None}
    return {"inputs": [tensor], "outputs": [{**tensor, "shape": outputs or [1, 10]}]}


def refusal(given: dict[str, Any], batch: int | None = None, layout: str | None = None) -> str:
    with pytest.raises(InferometerError) as caught:
        spec.read(PATH, given, batch, layout)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("shape", "batch", "item", "count", "layout"),
    [
        ([1, 3, 8, 6], None, (3, 8, 6), 1, "NCHW"),
        ([4, 8, 6, 1], None, (8, 6, 1), 4, "NHWC"),
        (["N", 40], 2, (40,), 2, None),
        ([7, 40], None, (40,), 7, None),
        ([7, 40], 1, (7, 40), 1, None),  # its first dimension is no batch
        ([10], None, (10,), 1, None),
        ([1, 3, 3, 3], None, (3, 3, 3), 1, None),
    ],
)
def test_shape_batch_and_layout(
    shape: list[Any], batch: int | None, item: tuple[int, ...], count: int, layout: str | None
) -> None:
    found = spec.read(PATH, signature(shape), batch, None)
    assert (found.item, found.batch, found.layout) == (item, count, layout)


def test_what_the_shape_does_not_tell_is_taken_as_said() -> None:
    assert spec.read(PATH, signature([1, 3, 3, 3]), None, "NHWC").layout == "NHWC"


def test_the_size_of_a_picture() -> None:
    wide = spec.read(PATH, signature([1, 3, 8, 6]), None, None)
    assert (wide.size, wide.channels) == ((6, 8), 3)
    last = spec.read(PATH, signature([1, 8, 6, 1]), None, None)
    assert (last.size, last.channels) == ((6, 8), 1)


@pytest.mark.parametrize(
    ("outputs", "count"), [([1, 10], 10), (["N", 10], 10), ([1, "C"], None), ([1, 7, 7, 2], 98)]
)
def test_how_many_values_an_input_gives(outputs: list[Any], count: int | None) -> None:
    assert spec.read(PATH, signature([1, 4], outputs=outputs), None, None).outputs == count


def test_a_per_tensor_quantisation_is_kept_and_one_a_channel_is_none() -> None:
    given = signature([1, 4], "int8")
    given["inputs"][0]["quantization"] = {"scale": [0.5], "zero_point": [-3]}
    assert spec.read(PATH, given, None, None).quantization == (0.5, -3)
    given["inputs"][0]["quantization"] = {"scale": [0.5, 0.25], "zero_point": [0, 0]}
    assert spec.read(PATH, given, None, None).quantization is None


def test_what_cannot_be_read_is_asked_for_by_name() -> None:
    assert refusal(signature(["N", 3, 8, 8])) == (
        "my.onnx: input `x` has an open batch dimension; say --batch 1"
    )
    assert "open dimensions besides its batch, [1, 3, H, ?]" in refusal(signature(["N", 3, "H", None]), 1)
    assert "fixes the batch at 1; leave --batch out" in refusal(signature([1, 3, 8, 8]), 4)
    assert "is bfloat16; known are float32" in refusal(signature([1, 4], "bfloat16"))
    assert "is a single number" in refusal(signature([]))
    assert "no batch of images; leave --layout out" in refusal(signature([1, 4]), None, "NCHW")
    assert "has 8 channels as NHWC" in refusal(signature([1, 3, 8, 8]), None, "NHWC")
    two = signature([1, 4])
    two["inputs"] *= 2
    assert "has 2 inputs (`x`, `x`)" in refusal(two)


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "net@digits", "net~small", "x" * 65, "ü"])
def test_a_name_that_is_no_id(name: str) -> None:
    with pytest.raises(InferometerError, match="give one of letters, digits"):
        spec.check_id(name, PATH, [])


def test_the_suite_s_names_are_taken() -> None:
    assert spec.check_id("my-model_2.onnx", PATH, ["resnet50"]) == "my-model_2.onnx"
    with pytest.raises(InferometerError, match="resnet50 is a model of the suite; give another id with --id"):
        spec.check_id("resnet50", PATH, ["resnet50"])


@pytest.mark.parametrize(
    ("limits", "mean", "std", "said"),
    [
        (None, "0.5", None, "go together"),
        ((0.0, 1.0), "0.5", "0.5", "give one of them"),
        (None, "0.5", "0", "each above 0"),
        (None, "0.5,0.5", "0.5", "as many numbers as --mean"),
        (None, "half", "0.5", "give one number, or one a channel"),
        (None, "inf", "0.5", "give one number, or one a channel"),
    ],
)
def test_scalings_that_are_none(
    limits: tuple[float, float] | None, mean: str | None, std: str | None, said: str
) -> None:
    with pytest.raises(InferometerError, match=said):
        spec.scaling(limits, mean, std)


def test_scalings() -> None:
    assert not spec.scaling(None, None, None)
    assert spec.scaling((0.0, 1.0), None, None).limits == (0.0, 1.0)
    assert spec.scaling(None, "0.1,0.2,0.3", "1,1,1").mean == (0.1, 0.2, 0.3)

"""The user's inputs in the type, layout and batch of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adding import tensors
from orchestrator.adding.spec import DTYPES, Scaling, Spec
from orchestrator.domain import InferometerError

PATH = Path("my.npz")
NONE = Scaling()
RGB = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


def of(shape: tuple[int, ...], dtype: str = "float32", **more: Any) -> Spec:
    return Spec("x", shape, dtype, **{"batch": 1, "layout": None, **more})


def refusal(spec: Spec, items: np.ndarray[Any, Any], scaling: Scaling = NONE) -> str:
    with pytest.raises(InferometerError) as caught:
        tensors.prepared(PATH, spec, items, scaling, False)
    assert str(caught.value).startswith("my.npz: ")
    return str(caught.value)


def test_what_fits_is_taken_as_it_is() -> None:
    items = np.array([[1.5, -2.0]], dtype=np.float32)
    assert tensors.prepared(PATH, of((1, 2)), items, Scaling(), False) is items


def test_channels_are_moved_where_the_model_has_them() -> None:
    first, last = of((1, 3, 4, 5), "uint8", layout="NCHW"), of((1, 4, 5, 3), "uint8", layout="NHWC")
    moved = tensors.prepared(PATH, first, RGB, Scaling(), False)
    assert moved.shape == (2, 3, 4, 5)
    assert np.array_equal(moved[:, 1], RGB[..., 1])
    assert np.array_equal(tensors.prepared(PATH, last, moved, Scaling(), False), RGB)
    assert np.array_equal(tensors.prepared(PATH, first, RGB, Scaling(), True), moved)


def test_a_picture_as_tall_as_it_has_channels_is_moved_too() -> None:
    cube = np.arange(27, dtype=np.uint8).reshape(1, 3, 3, 3)
    spec = of((1, 3, 3, 3), "uint8", layout="NCHW")
    assert np.array_equal(tensors.prepared(PATH, spec, cube, Scaling(), True), cube.transpose(0, 3, 1, 2))
    assert np.array_equal(tensors.prepared(PATH, spec, cube, Scaling(), False), cube)


def test_pixels_are_scaled_to_limits() -> None:
    spec = of((1, 4, 5, 3), layout="NHWC")
    scaled = tensors.prepared(PATH, spec, RGB, Scaling((-1.0, 1.0)), False)
    assert scaled.dtype == np.float32
    assert np.allclose(scaled, RGB / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_pixels_are_scaled_by_mean_and_std_a_channel(layout: str) -> None:
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 0.125)
    spec = of((1, 3, 4, 5) if layout == "NCHW" else (1, 4, 5, 3), layout=layout)
    scaled = tensors.prepared(PATH, spec, RGB, Scaling(None, mean, std), True)
    expected = (RGB / 255 - np.array(mean)) / np.array(std)
    assert np.allclose(scaled if layout == "NHWC" else scaled.transpose(0, 2, 3, 1), expected, atol=1e-6)


def test_integer_models_take_bytes_or_quantise() -> None:
    pixels = np.array([[0, 128, 255]], dtype=np.uint8)
    assert tensors.prepared(PATH, of((1, 3), "int8"), pixels, Scaling(), False).tolist() == [[-128, 0, 127]]
    reals = np.array([[-9.0, 0.24, 0.26]], dtype=np.float32)
    spec = of((1, 3), "int8", quantization=(0.5, 3))
    assert tensors.prepared(PATH, spec, reals, Scaling(), False).tolist() == [[-15, 3, 4]]
    far = np.array([[-1e6, 0.0, 1e6]])
    assert tensors.prepared(PATH, spec, far, Scaling(), False).tolist() == [[-128, 3, 127]]


def test_pixels_of_a_quantised_model_can_be_scaled_first() -> None:
    spec = of((1, 3), "uint8", quantization=(1 / 128, 128))
    pixels = np.array([[0, 128, 255]], dtype=np.uint8)
    assert tensors.prepared(PATH, spec, pixels, Scaling((-1.0, 1.0)), False).tolist() == [[0, 129, 255]]


def test_equal_integers_of_another_width_are_taken() -> None:
    tokens = np.array([[1, 70000]], dtype=np.int64)
    assert tensors.prepared(PATH, of((1, 2), "int32"), tokens, Scaling(), False).dtype == np.int32
    assert "save them so" in refusal(of((1, 2), "int16"), tokens)


def test_what_does_not_fit_is_told() -> None:
    assert "say --input-range 0,1" in refusal(of((1, 4, 5, 3)), RGB)
    assert "have the shape [4, 5, 3], the model takes [4, 5]; reshape them" in refusal(of((1, 4, 5)), RGB)
    floats = np.zeros((1, 2), dtype=np.float32)
    assert "does not say its scale; save them as int8" in refusal(of((1, 2), "int8"), floats)
    assert "only uint8 pixels are scaled" in refusal(of((1, 2)), floats, Scaling((0.0, 1.0)))
    assert "not finite" in refusal(of((1, 2)), np.full((1, 2), np.nan))
    assert "the model takes float32" in refusal(of((1, 2)), np.array([["a", "b"]]))
    wrong = Scaling(None, (0.1, 0.2), (1.0, 1.0))
    assert "--mean has 2 numbers, the input 3 channels" in refusal(
        of((1, 4, 5, 3), layout="NHWC"), RGB, wrong
    )


@given(st.sampled_from(DTYPES), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 9))
def test_synthetic_inputs_are_seeded_and_of_the_model_s_kind(dtype: str, sizes: list[int], seed: int) -> None:
    spec = of(tuple(sizes), dtype)
    made = tensors.synthetic(spec, seed)
    assert (made.shape, made.dtype) == ((1, *sizes), np.dtype(dtype))
    assert np.array_equal(made, tensors.synthetic(spec, seed))
    if dtype not in ("uint8", "int8"):
        assert made.min() >= 0 and made.max() <= 1


def test_what_fills_no_batch_is_left_out() -> None:
    spec = of((2, 3), batch=2)
    items = np.arange(15, dtype=np.float32).reshape(5, 3)
    assert tensors.batched(spec, items).tolist() == items[:4].reshape(2, 2, 3).tolist()
    whole = of((5, 3))  # one item that has no dimension of a batch
    assert tensors.batched(whole, items[None]).shape == (1, 5, 3)

"""Preprocessing: bit for bit what torchvision's transforms give, once, with a hash of all that decides it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models import preprocessing
from models.builders import torchvision as torchvision_builder
from models.datasets import ArraySource
from models.errors import ExportError

TABLE: dict[str, Any] = {
    "shape": [3, 24, 24],
    "resize": 27,
    "crop": 24,
    "maximum": 255,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def source(*images: np.ndarray) -> Any:
    class Images:
        labels = np.zeros(len(images), np.int64)

        def raw(self, indices: Any) -> list[np.ndarray]:
            return [images[index] for index in indices]

    return Images()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("size", [(27, 27), (40, 63), (63, 40), (24, 100), (27, 31), (13, 20), (200, 201)])
def test_as_torchvision(size: tuple[int, int], interpolation: str) -> None:
    torchvision_builder.library()
    from torchvision import transforms

    image = noise(*size)
    expected = transforms.Compose(
        [
            transforms.Resize(27, transforms.InterpolationMode(interpolation)),
            transforms.CenterCrop(24),
            transforms.ToTensor(),
            transforms.Normalize(TABLE["mean"], TABLE["std"]),
        ]
    )(Image.fromarray(image))
    table = {**TABLE, "interpolation": interpolation}
    (prepared,) = preprocessing.prepare(source(image), [0], table, (3, 24, 24))
    assert prepared.tobytes() == expected.numpy().tobytes()


def test_grey_becomes_three_channels_and_colour_one() -> None:
    plain = {**TABLE, "shape": [3, 5, 5], "mean": [0.0] * 3, "std": [1.0] * 3}
    del plain["resize"], plain["crop"]
    grey = noise(5, 5, 1)
    (spread,) = preprocessing.prepare(source(grey), [0], plain, (3, 5, 5))
    assert np.array_equal(spread, np.repeat(grey.transpose(2, 0, 1), 3, 0) / np.float32(255))
    one = {**plain, "shape": [1, 5, 5], "mean": [0.0], "std": [1.0]}
    colour = noise(5, 5)
    (single,) = preprocessing.prepare(source(colour), [0], one, (1, 5, 5))
    weighed = colour @ np.array([0.299, 0.587, 0.114])  # ITU-R 601-2
    assert np.abs(single[0] * 255 - weighed).max() <= 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"resize": 20, "crop": 24}, "input 0: 30 x 20 pixels are fewer than the crop's 24 x 24"),
        ({}, "input 0: has 60 x 40 pixels, the model takes 24 x 24"),
    ],
)
def test_an_image_of_another_size_is_named(table: dict[str, int], said: str) -> None:
    wanted = {name: value for name, value in TABLE.items() if name not in ("resize", "crop")} | table
    with pytest.raises(ExportError, match=said):
        preprocessing.prepare(source(noise(40, 60)), [0], wanted, (3, 24, 24))


def test_a_tensor_of_another_shape_is_named() -> None:
    with pytest.raises(ExportError, match=r"input 0: has shape \[4\], the model takes \[5\]"):
        preprocessing.prepare(source(np.zeros(4, np.float32)), [0], {"shape": [5]}, (5,))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 5))
def test_every_size_is_covered_by_resize(height: int, width: int, channels: int) -> None:
    image = noise(height, width, 1 if channels == 1 else 3)
    prepared = preprocessing.prepare(source(image), [0], TABLE, (3, 24, 24))
    assert prepared.shape == (1, 3, 24, 24) and np.isfinite(prepared).all()


def test_images_that_fit_already_are_scaled_as_all_others_are() -> None:
    plain = {name: value for name, value in TABLE.items() if name not in ("resize", "crop")}
    images = np.stack([noise(24, 24, seed=seed) for seed in range(70)])
    together = preprocessing.prepare(ArraySource(images, np.zeros(70)), range(70), plain, (3, 24, 24))
    singly = preprocessing.prepare(source(*images), range(70), plain, (3, 24, 24))
    assert together.tobytes() == singly.tobytes()


def test_indices_batches_and_a_file_on_disk_give_the_same_bytes(tmp_path: Path) -> None:
    images = ArraySource(np.stack([noise(27, 30, seed=seed) for seed in range(7)]), np.zeros(7))
    chosen = [5, 0, 6, 6, 1]
    whole = preprocessing.prepare(images, chosen, TABLE, (3, 24, 24))
    parts = list(preprocessing.batches(images, chosen, TABLE, (3, 24, 24), size=2))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    file = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=whole.shape)
    assert preprocessing.prepare(images, chosen, TABLE, (3, 24, 24), out=file) is file
    file.flush()
    assert np.load(tmp_path / "x.npy").tobytes() == whole.tobytes()
    assert preprocessing.digest(TABLE, iter(parts)) == preprocessing.digest(TABLE, whole)
    assert np.array_equal(whole[2], whole[3])


def test_the_digest_changes_with_all_that_decides_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = np.zeros((2, 3, 4, 4), np.float32)
    other = inputs.copy()
    other[1, 2, 3, 3] = np.float32(1e-30)
    digests = [
        preprocessing.digest(TABLE, inputs),
        preprocessing.digest(TABLE, other),
        preprocessing.digest({**TABLE, "resize": 28}, inputs),
    ]
    monkeypatch.setattr(preprocessing.PIL, "__version__", "1.0")
    digests.append(preprocessing.digest(TABLE, inputs))
    assert len(set(digests)) == 4


def test_only_a_batch_of_raw_inputs_is_asked_for_at_a_time() -> None:
    asked: list[int] = []

    class Counting:
        labels = np.zeros(1000, np.int64)

        def raw(self, indices: Any) -> list[np.ndarray]:
            asked.append(len(indices))
            return [noise(27, 27)] * len(indices)

    preprocessing.prepare(Counting(), range(150), TABLE, (3, 24, 24))
    assert asked == [64, 64, 22]

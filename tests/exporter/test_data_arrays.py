"""Bundled digits and .npz archives; data cards that are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import card as model_cards
from models import datasets, preprocessing
from models.builders import digits as digits_builder
from models.datasets import card as cards
from models.datasets import splitting
from models.errors import ExportError
from tests.exporter.imagery import IMAGE, jpeg

ROOT = Path(__file__).resolve().parent.parent.parent
CARDS = sorted((ROOT / "models/data").glob("*.toml"))
LABELS = np.array([0, 1] * 5)
FLOATS = np.linspace(-1, 1, 10 * 6, dtype=np.float32).reshape(10, 2, 3)


def npz(path: Path, **arrays: Any) -> Path:
    file = path / "mine.npz"
    np.savez(file, **arrays)
    return file


def test_digits_are_those_of_the_bundled_model() -> None:
    wanted = datasets.read(ROOT / "models/data/digits.toml")
    data = datasets.open_(wanted, None)
    model = model_cards.read(ROOT / "models/digits-cnn.toml")
    expected = digits_builder.data(model)
    for source, images, labels in ((data.train, *expected[:2]), (data.test, *expected[2:])):
        prepared = preprocessing.prepare(source, range(len(labels)), wanted.input, wanted.shape)
        assert prepared.tobytes() == images.tobytes()
        assert source.labels.tolist() == labels.tolist()
    assert (len(data.test.labels), data.classes) == (360, tuple("0123456789"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_card_of_the_suite_is_read(path: Path) -> None:
    assert cards.read(path).id == path.stem


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'loader = "folder"',
            'loader = "tar"',
            "loader: must be one of digits, cifar, folder, msl, npz, not 'tar'",
        ),
        ("classes = 2", "classes = 1", "classes: must be at least 2"),
        ("classes = 2", 'classes = "2"', "classes: must be a int"),
        ("[3, 224, 224]", "[4, 224, 224]", "input.shape: must be"),
        ("resize = 256", "resize = 0", "input.resize: must be a whole number"),
        ("crop = 224", "crop = 200", "input.crop: must be the height and width"),
        ("maximum = 255", "", "input.maximum: must be a whole number"),
        ("std = [0.229, 0.224, 0.225]", "std = [0.229, 0, 0.225]", "input.std: must be above 0"),
        ("mean = [0.485, 0.456, 0.406]", "mean = [0.485]", "input.mean: must hold 3 numbers"),
        ('"bilinear"', '"lanczos"', "input.interpolation: must be one of"),
        ('augment = "flip"', 'augment = "mixup"', "augment: must be one of none, flip, crop-flip"),
        ('augment = "flip"', "", "augment: is missing"),
        ("[input]", "[input", "cannot read the card"),
    ],
)
def test_a_wrong_card_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (ROOT / "models/data/wildfire.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ExportError) as refusal:
        cards.read(path)
    assert str(refusal.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_tensors_are_taken_as_they_are(tmp_path: Path, dtype: type) -> None:
    file = npz(tmp_path, inputs=FLOATS.astype(dtype), labels=LABELS.astype(np.uint8))
    wanted = datasets.own("mine", file, IMAGE, (3, 8, 8))
    assert (wanted.shape, wanted.classes) == ((2, 3), 2)
    data = datasets.open_(wanted, tmp_path)
    assert (data.train.labels.dtype, sorted(data.test.labels)) == (np.int64, [0, 1])
    prepared = preprocessing.prepare(data.train, range(8), wanted.input, wanted.shape)
    assert (prepared.dtype, prepared.shape) == (np.float32, (8, 2, 3))
    kept, held_out = splitting.hold_out(LABELS, 0)
    assert np.array_equal(prepared, FLOATS.astype(dtype)[kept].astype(np.float32))
    assert sorted([*kept, *held_out]) == list(range(10))


@pytest.mark.parametrize("shape", [(10, 9, 12), (10, 9, 12, 1), (10, 9, 12, 3)])
def test_bytes_are_images(tmp_path: Path, shape: tuple[int, ...]) -> None:
    inputs = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    wanted = datasets.own("mine", npz(tmp_path, inputs=inputs, labels=LABELS), IMAGE, (3, 8, 8))
    data = datasets.open_(wanted, tmp_path)
    assert preprocessing.prepare(data.test, [0, 1], wanted.input, wanted.shape).shape == (2, 3, 8, 8)


def test_bytes_that_are_no_image_are_numbers(tmp_path: Path) -> None:
    inputs = np.arange(40, dtype=np.uint8).reshape(10, 4)
    wanted = datasets.own("mine", npz(tmp_path, inputs=inputs, labels=LABELS), IMAGE, (3, 8, 8))
    data = datasets.open_(wanted, tmp_path)
    assert preprocessing.prepare(data.train, [0], wanted.input, wanted.shape).max() >= 3


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"inputs": FLOATS}, "has no array 'labels', only inputs"),
        ({"labels": LABELS}, "has no array 'inputs', only labels"),
        (
            {"inputs": FLOATS, "labels": LABELS[:9]},
            r"inputs: must be \[N, ...\] with N = 9, not \[10, 2, 3\]",
        ),
        ({"inputs": FLOATS, "labels": LABELS * 0.5}, "labels: must be classes.*targets of a regression"),
        ({"inputs": FLOATS, "labels": np.eye(10)}, "of a one-hot array its argmax"),
        ({"inputs": FLOATS, "labels": np.eye(10, dtype=int)}, "of a one-hot array its argmax"),
        ({"inputs": FLOATS, "labels": LABELS - 1}, "labels: must count the classes from 0"),
        ({"inputs": FLOATS, "labels": LABELS * 0}, "labels: must count the classes from 0, at least two"),
        ({"inputs": np.where(FLOATS > 0.99, np.nan, FLOATS), "labels": LABELS}, "row 9 holds NaN"),
        (
            {"inputs": np.where(FLOATS < -0.99, np.inf, FLOATS), "labels": LABELS},
            "row 0 holds NaN or infinity",
        ),
        ({"inputs": FLOATS.astype(np.int32), "labels": LABELS}, "must be uint8 or float32, not int32"),
        ({"inputs": np.zeros((10, 3, 8, 8), np.uint8), "labels": LABELS}, "uint8 images must be"),
        ({"inputs": np.zeros(10, np.float32), "labels": LABELS}, "inputs: must be"),
        (
            {"inputs": np.array([{"a": 1}] * 10, dtype=object), "labels": LABELS},
            "inputs: cannot be read: Object",
        ),
    ],
)
def test_what_is_wrong_with_an_archive_is_named(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(ExportError, match=said) as refusal:
        datasets.own("mine", npz(tmp_path, **arrays), IMAGE, (3, 8, 8))
    assert "mine.npz: " in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    file = npz(tmp_path, inputs=FLOATS, labels=LABELS)
    whole = file.read_bytes()
    for content in (whole[:-30], whole[:100], b"", b"PK\x03\x04"):
        file.write_bytes(content)
        with pytest.raises(ExportError, match="mine.npz: inputs: cannot be read"):
            datasets.own("mine", file, IMAGE, (3, 8, 8))


def test_more_labels_than_the_card_says(tmp_path: Path) -> None:
    wanted = datasets.own("mine", npz(tmp_path, inputs=FLOATS, labels=LABELS), IMAGE, (3, 8, 8))
    file = npz(tmp_path, inputs=FLOATS, labels=LABELS * 2)
    with pytest.raises(ExportError, match="labels: the highest is 2 where .* says classes = 2"):
        datasets.open_(wanted, file)


@pytest.mark.parametrize(
    ("name", "said"), [("a/b", "name it with letters"), ("~", "name it"), ("", "name it")]
)
def test_a_name_that_cannot_be_an_id(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        datasets.own(name, npz(tmp_path, inputs=FLOATS, labels=LABELS), IMAGE, (3, 8, 8))


def test_a_model_without_channels_takes_no_images(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(jpeg(1))
    with pytest.raises(ExportError, match="so it takes no images"):
        datasets.own("mine", tmp_path, {}, (12,))

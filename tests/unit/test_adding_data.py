"""The user's inputs as they lie on disk, odd and damaged ones included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orchestrator.adding import data
from orchestrator.adding.spec import Spec
from orchestrator.domain import InferometerError

SPEC = Spec("x", (1, 3, 4, 6), "float32", 1, "NCHW")


def refusal(path: Path, labels: Path | None = None) -> str:
    with pytest.raises(InferometerError) as caught:
        data.read(path, labels)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_an_npz_with_labels_and_without(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", inputs=np.zeros((3, 2), np.float32), labels=np.array([0, 2, 1], np.int8))
    found = data.read(path, None)
    assert found.labels is not None and found.labels.tolist() == [0, 2, 1]
    assert not found.is_pictures
    bare = npz(tmp_path / "b.npz", inputs=np.zeros((3, 2)))
    assert data.read(bare, None).labels is None
    (tmp_path / "labels.txt").write_text("2\n\n0\n1\n")
    told = data.read(bare, tmp_path / "labels.txt")
    assert told.labels is not None and told.labels.tolist() == [2, 0, 1]


def test_an_npz_that_is_none(tmp_path: Path) -> None:
    whole = npz(tmp_path / "whole.npz", inputs=np.random.default_rng(0).random((99, 9)))
    content = whole.read_bytes()
    damaged = bytearray(content)
    damaged[300:310] = bytes(10)
    for name, given in {"cut": content[:500], "text": b"hello", "empty": b"", "hurt": bytes(damaged)}.items():
        (tmp_path / f"{name}.npz").write_bytes(given)
        assert "no readable .npz" in refusal(tmp_path / f"{name}.npz"), name
    assert "there is no such file" not in refusal(npz(tmp_path / "n.npz", x=np.zeros(2)))
    assert "No such file" in refusal(tmp_path / "missing.npz")


def test_code_in_an_npz_is_not_run(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", inputs=np.array([[{}]], dtype=object))
    assert "no readable .npz" in refusal(path)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((2, 2))}, "has no array `inputs` of shape [N, ...]"),
        ({"inputs": np.zeros(2)}, "has no array `inputs` of shape [N, ...]"),
        ({"inputs": np.zeros((0, 2))}, "holds no inputs"),
        ({"inputs": np.zeros((2, 2)), "labels": np.array([0.5, 1])}, "must be class numbers from 0"),
        ({"inputs": np.zeros((2, 2)), "labels": np.array([-1, 1])}, "must be class numbers from 0"),
        ({"inputs": np.zeros((2, 2)), "labels": np.array([[0], [1]])}, "must be class numbers from 0"),
        ({"inputs": np.zeros((2, 2)), "labels": np.array([0])}, "holds 1 labels for 2 inputs"),
    ],
)
def test_a_wrong_array_is_named(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    assert said in refusal(npz(tmp_path / "a.npz", **arrays))


def test_labels_that_are_none(tmp_path: Path) -> None:
    bare, path = npz(tmp_path / "b.npz", inputs=np.zeros((2, 2))), tmp_path / "labels.txt"
    path.write_text("0\ncat\n")
    assert "'cat' is no class number; write one a line, from 0" in refusal(bare, path)
    path.write_text("0\n")
    assert "labels.txt: holds 1 labels for 2 inputs" in refusal(bare, path)
    assert "cannot be read" in refusal(bare, tmp_path / "none.txt")
    both = npz(tmp_path / "c.npz", inputs=np.zeros((2, 2)), labels=np.array([0, 1]))
    assert "holds labels itself; leave --labels out" in refusal(both, path)


def test_a_folder_with_a_folder_of_each_class(tmp_path: Path) -> None:
    for name in ("dog/b.png", "cat/z.jpg", "cat/a.PNG", "dog/notes.txt"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (200, 100, 50)).save(path) if "." + name[-3:] != ".txt" else path.touch()
    found = data.read(tmp_path / "photos", None)
    assert isinstance(found.items, tuple) and found.labels is not None
    assert [path.name for path in found.items] == ["a.PNG", "z.jpg", "b.png"]
    assert found.labels.tolist() == [0, 0, 1]
    before = found.sha256
    Image.new("RGB", (9, 7)).save(tmp_path / "photos/dog/b.png")
    assert data.read(tmp_path / "photos", None).sha256 != before


def test_pictures_side_by_side_and_one_alone(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("L", (9, 7)).save(tmp_path / name)
    found = data.read(tmp_path, None)
    assert len(found.items) == 2 and found.labels is None
    assert data.read(tmp_path / "a.png", None).items == (tmp_path / "a.png",)
    (tmp_path / "empty").mkdir()
    assert "holds no inputs" in refusal(tmp_path / "empty")
    assert "--data takes an .npz" in refusal(tmp_path / "a.csv")


def test_a_picture_in_the_model_s_size(tmp_path: Path) -> None:
    Image.new("RGBA", (9, 7), (200, 100, 50, 255)).save(tmp_path / "a.png")
    pixels = data.pixels(tmp_path / "a.png", SPEC)
    assert pixels.shape == (4, 6, 3) and pixels[0, 0].tolist() == [200, 100, 50]
    grey = Spec("x", (1, 4, 6, 1), "uint8", 1, "NHWC")
    assert data.pixels(tmp_path / "a.png", grey).shape == (4, 6, 1)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    with pytest.raises(InferometerError, match=r"b\.png: no readable picture"):
        data.pixels(tmp_path / "b.png", SPEC)


def test_of_many_inputs_some_are_shown_evenly_spread(tmp_path: Path) -> None:
    many = data.Data(tmp_path, "", np.zeros((5000, 2)), None)
    chosen = data.chosen(many, Spec("x", (1, 2), "float32", 1, None))
    assert (len(chosen), chosen[0], chosen[-1]) == (data.MOST_INPUTS, 0, 4999)
    assert len(set(chosen.tolist())) == data.MOST_INPUTS
    few = data.Data(tmp_path, "", np.zeros((3, 2)), None)
    assert data.chosen(few, Spec("x", (1, 2), "float32", 1, None)).tolist() == [0, 1, 2]


def test_as_many_are_shown_whatever_the_model_s_type(tmp_path: Path) -> None:
    large, counts = data.Data(tmp_path, "", np.zeros((5000, 1)), None), set()
    for dtype in ("uint8", "float32"):
        counts.add(len(data.chosen(large, Spec("x", (1, 3, 300, 300), dtype, 1, "NCHW"))))
    assert len(counts) == 1 and counts.pop() < data.MOST_INPUTS

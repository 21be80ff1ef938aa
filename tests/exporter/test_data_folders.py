"""Class folders and the MSL archive: read as they lie, refused in one line where something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import datasets
from models.datasets.card import DataCard
from models.errors import ExportError
from tests.exporter.imagery import IMAGE, card, jpeg, write, zipped

WILDFIRE = {
    f"the_wildfire_dataset_2n_version/{part}/{name}/{i}.jpg": jpeg(10 * i + len(part))
    for part, count in (("train", 3), ("val", 2), ("test", 1))
    for name in ("fire", "nofire")
    for i in range(count)
}
VALIDATION = {
    f"val/{wnid}/ILSVRC2012_val_{i:08}.JPEG": jpeg(i) for wnid in ("n01443537", "n01440764") for i in range(5)
}
OWN = {
    f"{name}/{i}.png": jpeg(i, kind="PNG")
    for name, count in (("a", 10), ("b", 2), ("c", 1))
    for i in range(count)
}
LISTS = {"train": "train-set-v2.1.txt", "test": "test-set-v2.1.txt"}
MSL = {
    "msl-labeled-data-set-v2.1/class_map.csv": "\ufeff" + "".join(f"{i}, Class {i} \r\n" for i in range(19)),
    "msl-labeled-data-set-v2.1/train-set-v2.1.txt": "0003ML0000125000I1_DXXX.jpg 0\n0003ML0001.JPG 18\n",
    "msl-labeled-data-set-v2.1/val-set-v2.1.txt": "0950MR0001.JPG 3\n",
    "msl-labeled-data-set-v2.1/test-set-v2.1.txt": "1930MH0001.JPG 7\n\n",
    **{
        f"msl-labeled-data-set-v2.1/images/{name}": jpeg(i, (9, 9))
        for i, name in enumerate(
            ("0003ML0000125000I1_DXXX.jpg", "0003ML0001.JPG", "0950MR0001.JPG", "1930MH0001.JPG")
        )
    },
    "__MACOSX/msl-labeled-data-set-v2.1/._class_map.csv": "junk",
}
MSL_CARD = card("msl", 19, LISTS)


def places(tmp_path: Path, files: Mapping[str, bytes | str]) -> list[Path]:
    """Unpacked, as an archive, and a folder with the archive alone."""
    alone = tmp_path / "alone"
    alone.mkdir()
    zipped(alone / "archive.zip", files)
    return [write(tmp_path / "unpacked", files), zipped(tmp_path / "archive.zip", files), alone]


def test_wildfire_as_kaggle_packs_it(tmp_path: Path) -> None:
    wanted = card("folder", 2, {"train": "train", "test": "test"})
    read = [datasets.open_(wanted, place) for place in places(tmp_path, WILDFIRE)]
    assert len({item.sha256() for item in read}) == 1
    for data in read:
        assert data.classes == ("fire", "nofire")
        assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([0, 0, 0, 1, 1, 1], [0, 1])
        assert data.split == "the publisher's"
        assert data.test.raw([1])[0].shape == (10, 12, 3)


def test_a_validation_folder_alone_is_split_by_the_seed(tmp_path: Path) -> None:
    wanted = card("folder", 2, {"train": "train", "test": "val"})
    folder = write(tmp_path, VALIDATION)
    data = datasets.open_(wanted, folder, seed=3)
    assert data.classes == ("n01440764", "n01443537")  # labels in the order of the wnids
    assert (len(data.train.labels), data.test.labels.tolist()) == (8, [0, 1])
    assert "seed 3" in data.split
    assert datasets.open_(wanted, folder, seed=3).sha256() == data.sha256()
    held_out = {datasets.open_(wanted, folder, seed).test.names[0] for seed in range(9)}
    assert len(held_out) > 1


def test_bare_class_folders_are_somebodys_own_data(tmp_path: Path) -> None:
    for place in places(tmp_path, {f"pictures/{name}": content for name, content in OWN.items()}):
        wanted = datasets.own("mine", place, {**IMAGE, "maximum": 16}, (3, 8, 8))
        assert (wanted.classes, wanted.id, wanted.input["maximum"], wanted.input["resize"]) == (
            3,
            "mine",
            255,
            8,
        )
        data = datasets.open_(wanted, place)
        assert (data.classes, data.test.labels.tolist()) == (("a", "b", "c"), [0, 0, 1])
        assert not set(data.train.names) & set(data.test.names)


def test_deeper_folders_belong_to_their_class(tmp_path: Path) -> None:
    files = {
        f"{part}/{name}/{inner}/1.jpg": jpeg(1)
        for part in ("training", "validation")
        for name, inner in (("fire", "both"), ("fire", "smoke"), ("nofire", "forest"))
    }
    data = datasets.open_(card("folder", 2), write(tmp_path, files))
    assert (data.train.labels.tolist(), data.split) == ([0, 0, 1], "the folder's own")


@pytest.mark.parametrize(
    ("drop", "add", "said"),
    [
        ("test/fire/", {}, None),
        ("train/fire/", {}, r"holds 1 class folders; put at least two"),
        ("train/nofire/", {"train/nofire/notes.txt": "x"}, r"class folder 'nofire' holds no image"),
        ("-", {"train/smoke/1.jpg": jpeg(1)}, r"holds 3 class folders where .*some.toml says classes = 2"),
        ("-", {"test/smoke/1.jpg": jpeg(1)}, r"class folder 'smoke' has no training images"),
        ("-", {"train/fire/Thumbs.db": "x", "train/.DS_Store": "x", "readme.md": "x"}, None),
    ],
)
def test_what_is_wrong_with_class_folders_is_named(
    tmp_path: Path, drop: str, add: dict[str, Any], said: str | None
) -> None:
    files = {name.partition("/")[2]: content for name, content in WILDFIRE.items()}
    files = {name: content for name, content in files.items() if not name.startswith(drop)} | add
    for place in places(tmp_path, files):
        wanted = card("folder", 2, {"train": "train", "test": "test"})
        if said is None:
            assert datasets.open_(wanted, place).classes == ("fire", "nofire")
            continue
        with pytest.raises(ExportError, match=said):
            datasets.open_(wanted, place)


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, OWN)
    (folder / "d").mkdir()
    with pytest.raises(ExportError, match="class folder 'd' holds no image"):
        datasets.own("mine", folder, IMAGE, (3, 8, 8))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (jpeg(1, (200, 100))[:2000], "is no whole image"),
        (b"\xff\xd8\xff\xe0 not a picture", "is no whole image"),
        (b"", "is no whole image"),
        (jpeg(1, kind="PNG")[:-40], "is no whole image"),
        (jpeg(1, mode="I;16", kind="PNG"), "more than 8 bits a channel"),
    ],
)
def test_a_broken_image_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    files = {"a/1.jpg": content, "a/2.jpg": jpeg(1), "b/1.jpg": jpeg(2), "b/2.jpg": jpeg(3)}
    data = datasets.open_(card("folder", 2), write(tmp_path, files))
    everything = [
        part.raw(range(len(part.labels))) for part in (data.train, data.test) if "a/1.jpg" not in part.names
    ]
    assert len(everything) == 1
    broken = next(part for part in (data.train, data.test) if "a/1.jpg" in part.names)
    with pytest.raises(ExportError, match=f"a/1.jpg: .*{said}"):
        broken.raw(range(len(broken.labels)))


@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("CMYK", 3), ("P", 3), ("RGBA", 3)]
)
def test_every_mode_becomes_grey_or_rgb(tmp_path: Path, mode: str, channels: int) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    image = jpeg(1, mode=mode, kind=kind)
    data = datasets.open_(
        card("folder", 2), write(tmp_path, {f"{c}/{i}.{kind}": image for c in "ab" for i in (1, 2)})
    )
    (pixels,) = data.test.raw([0])
    assert (pixels.dtype, pixels.shape) == (np.uint8, (10, 12, channels))


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "whole.zip", WILDFIRE).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExportError, match="cut.zip: is no whole ZIP archive"):
        datasets.open_(card("folder", 2), tmp_path / "cut.zip")


def test_a_flipped_byte_in_an_archive_is_noticed(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "flipped.zip", WILDFIRE)
    content = bytearray(archive.read_bytes())
    content[200] ^= 0xFF  # in the first member's content
    archive.write_bytes(content)
    train = datasets.open_(card("folder", 2), archive).train
    with pytest.raises(ExportError, match="flipped.zip: .*jpg: "):
        train.raw(range(len(train.labels)))


def test_msl_as_zenodo_packs_it(tmp_path: Path) -> None:
    read = [datasets.open_(MSL_CARD, place) for place in places(tmp_path, MSL)]
    assert len({item.sha256() for item in read}) == 1
    for data in read:
        assert (data.classes[18], len(data.classes)) == ("Class 18", 19)
        assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([0, 18], [7])
        assert data.test.raw([0])[0].shape == (9, 9, 3)


def changed(change: Mapping[str, str | None]) -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {name.partition("/")[2]: content for name, content in MSL.items()}
    for name, content in change.items():
        del files[name]
        if content is not None:
            files[name] = content
    return files


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train-set-v2.1.txt": None}, "has no train-set-v2.1.txt"),
        ({"train-set-v2.1.txt": "\n"}, "train-set-v2.1.txt: names no image"),
        (
            {"train-set-v2.1.txt": "0003ML0001.JPG 3\n0003ML0001.JPG\n"},
            "train-set-v2.1.txt: line 2: must be NAME LABEL",
        ),
        ({"train-set-v2.1.txt": "0003ML0001.JPG 19\n"}, "line 1: must be NAME LABEL with a label below 19"),
        ({"train-set-v2.1.txt": "0003ML0001.JPG -1\n"}, "line 1: must be NAME LABEL"),
        ({"train-set-v2.1.txt": "0003ML0001.JPG ²\n"}, "line 1: must be NAME LABEL"),
        ({"images/0003ML0001.JPG": None}, "line 2: there is no images/0003ML0001.JPG"),
        ({"class_map.csv": None}, "has no class_map.csv"),
        ({"class_map.csv": "0,only one\n"}, "class_map.csv: must name the classes 0 to 18"),
    ],
)
def test_what_is_wrong_with_msl_is_named(tmp_path: Path, change: dict[str, str | None], said: str) -> None:
    with pytest.raises(ExportError, match=said) as refusal:
        datasets.open_(MSL_CARD, write(tmp_path, changed(change)))
    assert "\n" not in str(refusal.value)


def test_msl_lists_may_name_the_folder_and_classes_may_stand_in_the_older_file(tmp_path: Path) -> None:
    files = changed({"class_map.csv": None, "test-set-v2.1.txt": "images/1930MH0001.JPG 7\n"})
    files["msl_synset_words-indexed.txt"] = "".join(f"{i}   class number {i}\n" for i in range(19))
    data = datasets.open_(MSL_CARD, write(tmp_path, files))
    assert (data.classes[4], data.test.labels.tolist()) == ("class number 4", [7])


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    wanted: DataCard = card("folder", 2)
    with pytest.raises(ExportError, match="absent: is not there; the data of .*some.toml belongs there"):
        datasets.open_(wanted, tmp_path / "absent")
    with pytest.raises(ExportError, match="needs a folder of class folders"):
        datasets.open_(wanted, None)

"""CIFAR's binary files: read exactly, and refused in one line where they are cut or wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import datasets
from models.datasets import cifar
from models.errors import ExportError
from tests.exporter.imagery import card, records, tarred, write

BATCHES = {f"cifar-10-batches-bin/data_batch_{i}.bin": records([i, 9, 0], i) for i in range(1, 6)}
CIFAR10 = {
    "cifar-10-batches-bin/batches.meta.txt": b"\n".join(f"class{i}".encode() for i in range(10)) + b"\n",
    **BATCHES,
    "cifar-10-batches-bin/test_batch.bin": records([3, 4], 9),
}
CIFAR100 = {
    "cifar-100-binary/train.bin": records([99, 0, 50], 1, coarse=True),
    "cifar-100-binary/test.bin": records([7], 2, coarse=True),
    "cifar-100-binary/coarse_label_names.txt": b"fish\n" * 20,
    "cifar-100-binary/fine_label_names.txt": b"\n".join(f"fine{i}".encode() for i in range(100)),
}
TEN = card("cifar", 10, {"train": 15, "test": 2}, shape=[3, 32, 32])


def test_archive_folder_and_a_folder_with_the_archive_are_the_same(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "cifar-10-binary.tar.gz", CIFAR10)
    unpacked = write(tmp_path / "unpacked", CIFAR10)
    read = [datasets.open_(TEN, path) for path in (archive, unpacked, unpacked / "cifar-10-batches-bin")]
    (tmp_path / "cache").mkdir()
    archive.rename(tmp_path / "cache" / archive.name)
    read.append(datasets.open_(TEN, tmp_path / "cache"))
    assert len({item.sha256() for item in read}) == 1
    assert read[0].classes[9] == "class9"
    assert read[0].train.labels.tolist() == [1, 9, 0, 2, 9, 0, 3, 9, 0, 4, 9, 0, 5, 9, 0]
    assert read[0].test.labels.tolist() == [3, 4]


def test_pixels_are_planes_of_red_green_blue(tmp_path: Path) -> None:
    planes = bytes([200] * 1024) + bytes([100] * 1024) + bytes(range(32)) * 32
    images, labels = cifar.parse(b"\x05" + planes, 1, 10, "x")
    assert labels.tolist() == [5]
    assert images.shape == (1, 32, 32, 3)
    assert images[0, 4, 7].tolist() == [200, 100, 7]


def test_cifar100_uses_the_fine_label(tmp_path: Path) -> None:
    data = datasets.open_(card("cifar", 100, shape=[3, 32, 32]), tarred(tmp_path / "c.tar.gz", CIFAR100))
    assert data.train.labels.tolist() == [99, 0, 50]
    assert data.classes[99] == "fine99"


def test_class_names_are_numbers_where_their_file_is_missing(tmp_path: Path) -> None:
    files = {name: content for name, content in CIFAR10.items() if not name.endswith(".txt")}
    assert datasets.open_(TEN, write(tmp_path, files)).classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data_batch_3.bin", None, "has no data_batch_3.bin"),
        ("data_batch_3.bin", records([1, 2])[:-1], "6145 bytes are no whole number of 3073-byte records"),
        ("data_batch_3.bin", b"", "0 bytes are no whole number"),
        ("test_batch.bin", records([1, 10]), "record 1: label 10 is not below 10"),
        ("test_batch.bin", records([1]), r"1 records where split.test of .*some.toml says 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    files = dict(CIFAR10)
    if content is None:
        del files[f"cifar-10-batches-bin/{name}"]
    else:
        files[f"cifar-10-batches-bin/{name}"] = content
    for place in (write(tmp_path / "folder", files), tarred(tmp_path / "c.tar.gz", files)):
        with pytest.raises(ExportError, match=said) as refusal:
            datasets.open_(TEN, place)
        assert name in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9, -9])
def test_a_cut_archive_is_refused(tmp_path: Path, kept: float) -> None:
    whole = tarred(tmp_path / "whole.tar.gz", CIFAR10).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(ExportError, match="cut.tar.gz"):
        datasets.open_(TEN, cut)


def test_a_flipped_byte_in_the_archive_is_refused(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "flipped.tar.gz", CIFAR10)
    content = bytearray(archive.read_bytes())
    content[-5] ^= 0xFF  # in the checksum of the whole
    archive.write_bytes(content)
    with pytest.raises(ExportError, match="flipped.tar.gz"):
        datasets.open_(TEN, archive)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=5), st.booleans(), st.randoms(use_true_random=False))
def test_every_record_comes_back(labels: list[int], coarse: bool, random: object) -> None:
    classes = 100 if coarse else 10
    labels = [label % classes for label in labels]
    pixels = [random.randbytes(3072) for _ in labels]  # type: ignore[attr-defined]
    head = b"\x13" if coarse else b""
    data = b"".join(head + bytes([label]) + row for label, row in zip(labels, pixels, strict=True))
    images, read = cifar.parse(data, 1 + coarse, classes, "x")
    assert read.tolist() == labels
    assert [image.transpose(2, 0, 1).tobytes() for image in images] == pixels


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3 * 3073), st.integers(0, 255))
def test_no_other_length_and_no_other_label_passes(length: int, byte: int) -> None:
    data = np.full(length, byte, np.uint8).tobytes()
    if length and length % 3073 == 0 and byte < 10:
        assert len(cifar.parse(data, 1, 10, "x")[1]) == length // 3073
    else:
        with pytest.raises(ExportError, match="^x: "):
            cifar.parse(data, 1, 10, "x")

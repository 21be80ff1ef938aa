"""CIFAR-10 and CIFAR-100 in the original binary version (Krizhevsky, 2009).

A file is a sequence of records without header: the label (CIFAR-100: the coarse label, then the fine
one, which is used), then 3072 bytes, 1024 each of red, green and blue, row by row.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.datasets.card import DataCard
from models.datasets.source import ArraySource, Dataset
from models.errors import ExportError

SIDE = 32
PIXELS = 3 * SIDE * SIDE
# classes -> label bytes, training files, test files, file with the class names
LAYOUTS: dict[int, tuple[int, tuple[str, ...], tuple[str, ...], str]] = {
    10: (1, tuple(f"data_batch_{i}.bin" for i in range(1, 6)), ("test_batch.bin",), "batches.meta.txt"),
    100: (2, ("train.bin",), ("test.bin",), "fine_label_names.txt"),
}


def load(card: DataCard, folder: Path | None, seed: int) -> Dataset:
    """Both parts from the archive (.tar.gz) or from a folder with it or with its unpacked .bin files.

    ``split.train`` and ``split.test`` of the card say how many records there must be.
    """
    if card.classes not in LAYOUTS:
        raise ExportError(f"{card.path}: classes: CIFAR has 10 or 100, not {card.classes}")
    if folder is None:
        raise ExportError(f"{card.path}: {card.id} needs its archive or its unpacked folder")
    label_bytes, train, test, names = LAYOUTS[card.classes]
    content = read(folder, (*train, *test, names))

    def part(kind: str, files: Sequence[str]) -> ArraySource:
        for name in files:
            if name not in content:
                raise ExportError(f"{folder}: has no {name}; unpack the whole archive there, or put it there")
        parts = [parse(content.pop(name), label_bytes, card.classes, f"{folder}: {name}") for name in files]
        images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        expected = card.split.get(kind)
        if expected is not None and len(labels) != expected:
            raise ExportError(
                f"{folder}: {', '.join(files)}: {len(labels)} records where split.{kind} of {card.path} says "
                f"{expected}; get the archive anew"
            )
        return ArraySource(images, labels)

    known = tuple(content.get(names, b"").decode("utf-8", "replace").split())
    return Dataset(
        train=part("train", train),
        test=part("test", test),
        classes=known if len(known) == card.classes else tuple(map(str, range(card.classes))),
        card=card,
        split="the publisher's",
    )


def parse(data: bytes, label_bytes: int, classes: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``[N, 32, 32, 3]`` and labels ``[N]``, both uint8; ExportError on a short or wrong record."""
    record = label_bytes + PIXELS
    if not data or len(data) % record:
        raise ExportError(
            f"{where}: {len(data)} bytes are no whole number of {record}-byte records; get it anew"
        )
    rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, record)
    labels = rows[:, label_bytes - 1]
    if labels.max() >= classes:
        wrong = int(np.argmax(labels >= classes))
        raise ExportError(
            f"{where}: record {wrong}: label {labels[wrong]} is not below {classes}; get it anew"
        )
    images = rows[:, label_bytes:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels


def read(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The wanted files that are there, by their bare name."""
    if path.is_dir():
        found = {file.name: file for file in path.rglob("*") if file.name in wanted}
        archives = sorted(path.glob("*.tar.gz"))
        if found or len(archives) != 1:
            return {name: file.read_bytes() for name, file in found.items()}
        path = archives[0]
    content = {}
    try:
        with gzip.open(path) as whole, tarfile.open(fileobj=whole, mode="r:") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                stream = archive.extractfile(member) if name in wanted else None
                if stream is not None:
                    content[name] = stream.read()
            while whole.read(1 << 20):  # the checksum stands at the very end, where tarfile does not look
                pass
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise ExportError(f"{path}: is no whole .tar.gz archive ({error}); get it anew") from error
    return content

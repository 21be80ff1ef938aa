"""MSL Curiosity images with science and engineering classes, version 2.1 (Lu and Wagstaff, 2020).

As Zenodo's archive lies: ``images/``, one list a part with a line ``NAME LABEL`` an image, and
``class_map.csv`` with a line ``LABEL,CLASS`` a class and no header. Version 1 of the data names its
classes in ``msl_synset_words-indexed.txt`` (label, spaces, class), which is taken too.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.datasets.card import DataCard
from models.datasets.source import Dataset, ImageSource
from models.datasets.tree import Tree, below, open_tree
from models.errors import ExportError

CLASS_FILES = ("class_map.csv", "msl_synset_words-indexed.txt")
IMAGES = "images/"


def load(card: DataCard, folder: Path | None, seed: int) -> Dataset:
    """Both parts; ``split.train`` and ``split.test`` of the card name the list files."""
    if folder is None:
        raise ExportError(f"{card.path}: {card.id} needs its archive or its unpacked folder")
    lists = [card.split.get(part) for part in ("train", "test")]
    if not all(isinstance(name, str) for name in lists):
        raise ExportError(f"{card.path}: split: must name the list files of train and test")
    tree = open_tree(folder)
    prefix = below(tree, *lists)
    train, test = (read_list(tree, prefix, name, card.classes) for name in lists)
    return Dataset(
        train=train, test=test, classes=read_classes(tree, prefix, card), card=card, split="the publisher's"
    )


def read_list(tree: Tree, prefix: str, file: str, classes: int) -> ImageSource:
    """The images that a list file names; ExportError naming the line that is wrong."""
    if prefix + file not in tree.names:
        raise ExportError(f"{tree.path}: has no {file}; unpack the whole archive there, or put it there")
    there = set(tree.names)
    names, labels = [], []
    for number, line in enumerate(tree.read(prefix + file).decode("utf-8-sig", "replace").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{tree.path}: {file}: line {number}"
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isascii() or not label.isdigit() or int(label) >= classes:
            raise ExportError(f"{where}: must be NAME LABEL with a label below {classes}, not {line!r}")
        path = prefix + IMAGES + name.strip().removeprefix(IMAGES)
        if path not in there:
            raise ExportError(f"{where}: there is no {path}; unpack the whole archive")
        names.append(path)
        labels.append(int(label))
    if not names:
        raise ExportError(f"{tree.path}: {file}: names no image; get the archive anew")
    return ImageSource(tree, names, labels)


def read_classes(tree: Tree, prefix: str, card: DataCard) -> tuple[str, ...]:
    """The names by label; ExportError where a label has none."""
    file = next((name for name in CLASS_FILES if prefix + name in tree.names), None)
    if file is None:
        raise ExportError(f"{tree.path}: has no {CLASS_FILES[0]}; unpack the whole archive")
    lines = tree.read(prefix + file).decode("utf-8-sig", "replace").splitlines()
    pairs = [re.fullmatch(r"\s*(\d+)\s*[,\s]\s*(.*\S)\s*", line) for line in lines if line.strip()]
    names = {int(pair[1]): pair[2] for pair in pairs if pair}
    if sorted(names) != list(range(card.classes)):
        raise ExportError(f"{tree.path}: {file}: must name the classes 0 to {card.classes - 1}, one a line")
    return tuple(names[label] for label in range(card.classes))

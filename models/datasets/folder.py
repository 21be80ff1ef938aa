"""Images in class folders, as ImageNet, the Wildfire Dataset and most people's own images lie.

``train/CLASS/.../image`` and ``test/CLASS/.../image`` (or ``val``), in a folder or in one ZIP archive. A
class is a folder's name; labels count the sorted names, which for ImageNet's wnid folders is the order
its pretrained heads have. Where only one part is there, or the class folders lie bare, a seed splits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.datasets import splitting
from models.datasets.card import DataCard
from models.datasets.source import Dataset, ImageSource
from models.datasets.tree import Tree, below, open_tree
from models.errors import ExportError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
TRAIN = ("train", "training")
TEST = ("test", "val", "valid", "validation")


def load(card: DataCard, folder: Path | None, seed: int) -> Dataset:
    """Both parts; ``split.train`` and ``split.test`` of the card may name their folders."""
    if folder is None:
        raise ExportError(f"{card.path}: {card.id} needs a folder of class folders")
    tree = open_tree(folder)
    train, test = part_folders(tree, card.split)
    together = train if test is None else test if train is None else None
    if together is not None:
        names, labels, classes = images(tree, together, None)
        require_classes(card, folder, classes)
        kept, held_out = splitting.hold_out(labels, seed)
        return Dataset(
            train=ImageSource(tree, [names[index] for index in kept], labels[kept]),
            test=ImageSource(tree, [names[index] for index in held_out], labels[held_out]),
            classes=classes,
            card=card,
            split=f"{splitting.SHARE:.0%} of each class held out by seed {seed}",
        )
    assert train is not None and test is not None
    names, labels, classes = images(tree, train, None)
    require_classes(card, folder, classes)
    test_names, test_labels, _ = images(tree, test, classes)
    return Dataset(
        train=ImageSource(tree, names, labels),
        test=ImageSource(tree, test_names, test_labels),
        classes=classes,
        card=card,
        split="the publisher's" if card.split else "the folder's own",
    )


def part_folders(tree: Tree, split: dict[str, str]) -> tuple[str | None, str | None]:
    """The prefixes of the training and held-out images; one is None where there is one part for both."""
    trains = (split["train"],) if "train" in split else TRAIN
    tests = (split["test"],) if "test" in split else TEST
    prefix = below(tree, *trains, *tests)
    train, test = (
        next((f"{prefix}{name}/" for name in names if f"{prefix}{name}" in tree.folders), None)
        for names in (trains, tests)
    )
    if train is None and test is None:
        return bare(tree), None
    return train, test


def bare(tree: Tree) -> str:
    """The prefix of class folders that stand without train and test: below whatever wraps them alone."""
    prefix = ""
    while True:
        inner = [name for name in tree.folders if name.startswith(prefix)]
        tops = [name for name in inner if "/" not in name[len(prefix) :]]
        if len(tops) != 1 or len(inner) == 1:
            return prefix
        prefix = f"{tops[0]}/"


def images(
    tree: Tree, prefix: str, classes: tuple[str, ...] | None
) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """File names, labels and classes below a prefix; ``classes`` are those that may be there, if known."""
    found: dict[str, list[str]] = {
        name[len(prefix) :]: []
        for name in tree.folders
        if name.startswith(prefix) and "/" not in name[len(prefix) :]
    }
    for name in tree.names:
        head, slash, _ = name[len(prefix) :].partition("/")
        if name.startswith(prefix) and slash and name.lower().endswith(SUFFIXES):
            found[head].append(name)
    where = f"{tree.path}{f'/{prefix}' if prefix else ''}"
    if classes is None and len(found) < 2:
        raise ExportError(f"{where}: holds {len(found)} class folders; put at least two there, one a class")
    for head, names in found.items():
        if not names:
            raise ExportError(f"{where}: class folder {head!r} holds no image ({', '.join(SUFFIXES)})")
        if classes is not None and head not in classes:
            raise ExportError(f"{where}: class folder {head!r} has no training images")
    order = classes or tuple(sorted(found))
    names = [name for head in order for name in found.get(head, [])]
    labels = [label for label, head in enumerate(order) for _ in found.get(head, [])]
    return names, np.array(labels, dtype=np.int64), order


def require_classes(card: DataCard, folder: Path, classes: tuple[str, ...]) -> None:
    """ExportError unless there are as many as the card says."""
    if len(classes) != card.classes:
        raise ExportError(
            f"{folder}: holds {len(classes)} class folders where {card.path} says classes = {card.classes}; "
            "complete it, or name the folder otherwise to use it as your own data"
        )

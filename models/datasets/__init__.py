"""Data sets: ``open_(card, folder, seed)`` gives the training and the held-out inputs with their labels.

One small module a format; the card's ``loader`` selects it. Somebody's own images or arrays need no card:
``own(...)`` makes it from what lies there.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from models.datasets import folder as class_folders
from models.datasets import npz
from models.datasets.card import DataCard, input_fault, read, valid_name
from models.datasets.source import ArraySource, Dataset, ImageSource, Source
from models.datasets.tree import open_tree
from models.errors import ExportError

__all__ = [
    "ArraySource",
    "DataCard",
    "Dataset",
    "ImageSource",
    "Source",
    "open_",
    "own",
    "read",
]


def open_(card: DataCard, folder: Path | None, seed: int = 0) -> Dataset:
    """The data of a card from a folder or file (None for bundled data); ExportError naming what is wrong.

    ``seed`` splits data that comes without a split. It is not the seed of a training: trainings that are
    compared, or that teach one another, must hold out the same inputs.
    """
    if folder is not None and not folder.exists():
        raise ExportError(f"{folder}: is not there; the data of {card.path} belongs there")
    dataset: Dataset = importlib.import_module(f"models.datasets.{card.loader}").load(card, folder, seed)
    if len(dataset.classes) != card.classes or not len(dataset.train.labels) or not len(dataset.test.labels):
        raise ExportError(
            f"{folder}: {len(dataset.classes)} classes, {len(dataset.train.labels)} training and "
            f"{len(dataset.test.labels)} held-out inputs do not make the data of {card.path}"
        )
    return dataset


def own(name: str, path: Path, table: dict[str, Any], shape: tuple[int, ...]) -> DataCard:
    """The card of somebody's own data: an .npz file, or a folder or ZIP archive of class folders.

    ``table`` is the ``[input]`` of the model's card and ``shape`` its input's: images are prepared as that
    model wants them, resized until they cover it where it does not say how. Tensors in an .npz keep their
    own shape.
    """
    if not valid_name(name):
        raise ExportError(f"{path}: name it with letters, digits, '.', '_' and '-' alone, not {name!r}")
    if not path.exists():
        raise ExportError(f"{path}: is not there; put class folders or an .npz file there")
    arrays = path.suffix == ".npz" or (path.is_dir() and any(path.glob("*.npz")))
    image = True
    if arrays:
        inputs, labels = npz.read(path)
        classes = int(labels.max()) + 1
        image = inputs.dtype == "uint8" and inputs.ndim == 4
        shape = shape if image else inputs.shape[1:]
    else:
        tree = open_tree(path)
        train, test = class_folders.part_folders(tree, {})
        classes = len(class_folders.images(tree, (train if train is not None else test) or "", None)[2])
    wanted = image_table(table, shape) if image else {"shape": list(shape)}
    wrong = input_fault(wanted, image)
    if wrong:
        raise ExportError(f"{path}: the model's {wrong[0]} {wrong[1]}, so it takes no images")
    return DataCard(
        path=path,
        id=name,
        title=name,
        loader="npz" if arrays else "folder",
        classes=classes,
        licence="yours",
        citation="yours",
        input=wanted,
        shape=tuple(shape),
        split={},
        augment="none",
        score=1000,
        calibration=200,
    )


def image_table(table: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """A model's input table for 8-bit images of any size."""
    wanted = {**table, "shape": list(shape), "maximum": 255}
    if "resize" not in wanted and len(shape) == 3:
        wanted["resize"] = max(shape[1:])
    return wanted

"""A NumPy archive (.npz) with ``inputs`` and ``labels``: also for models that are no image classifiers.

``inputs`` that are uint8 with shape ``[N, H, W]`` or ``[N, H, W, C]`` (1 or 3 channels) are images and
prepared as images are. All others (floating, or uint8 with other shapes than three or four axes) are what
the model takes, ``[N, ...]``, and only become float32. ``labels`` are classes, whole numbers ``[N]`` from 0;
targets of a regression are refused, because every figure here counts right answers.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from models.datasets import splitting
from models.datasets.card import DataCard
from models.datasets.source import ArraySource, Dataset
from models.errors import ExportError


def load(card: DataCard, folder: Path | None, seed: int) -> Dataset:
    """Both parts, split by the seed; ``folder`` is the file or a folder with this file alone."""
    if folder is None:
        raise ExportError(f"{card.path}: {card.id} needs its .npz file")
    inputs, labels = read(folder)
    if labels.max() >= card.classes:
        raise ExportError(
            f"{folder}: labels: the highest is {labels.max()} where {card.path} says classes = {card.classes}"
        )
    kept, held_out = splitting.hold_out(labels, seed)
    if not len(held_out):
        raise ExportError(f"{folder}: labels: no class has two inputs, so none can be held out")
    return Dataset(
        train=ArraySource(inputs[kept], labels[kept]),
        test=ArraySource(inputs[held_out], labels[held_out]),
        classes=tuple(map(str, range(card.classes))),
        card=card,
        split=f"{splitting.SHARE:.0%} of each class held out by seed {seed}",
    )


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and int64 labels, checked; ExportError naming the array and the fix."""
    if path.is_dir():
        files = sorted(path.glob("*.npz"))
        if len(files) != 1:
            raise ExportError(f"{path}: holds {len(files)} .npz files where one is needed")
        path = files[0]
    inputs, labels = (array(path, name) for name in ("inputs", "labels"))
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ExportError(
            f"{path}: labels: must be classes, whole numbers [N] from 0 (of a one-hot array its argmax(1); "
            f"targets of a regression have no accuracy), not {labels.dtype} {list(labels.shape)}"
        )
    if inputs.ndim < 2 or len(inputs) != len(labels) or not inputs.size:
        raise ExportError(
            f"{path}: inputs: must be [N, ...] with N = {len(labels)}, not {list(inputs.shape)}"
        )
    if labels.min() < 0 or labels.max() < 1:
        raise ExportError(f"{path}: labels: must count the classes from 0, at least two")
    if inputs.dtype == np.uint8:
        return images(path, inputs), labels.astype(np.int64)
    if not np.issubdtype(inputs.dtype, np.floating):
        raise ExportError(f"{path}: inputs: must be uint8 or float32, not {inputs.dtype}; astype one of them")
    finite = np.isfinite(inputs.reshape(len(inputs), -1)).all(axis=1)
    if not finite.all():
        raise ExportError(f"{path}: inputs: row {int(np.argmin(finite))} holds NaN or infinity; remove it")
    return inputs, labels.astype(np.int64)


def images(path: Path, inputs: np.ndarray) -> np.ndarray:
    """Images as ``[N, H, W, C]``; tensors that are none as they are."""
    if inputs.ndim not in (3, 4):
        return inputs
    stacked = inputs[..., None] if inputs.ndim == 3 else inputs
    if stacked.shape[3] not in (1, 3):
        raise ExportError(
            f"{path}: inputs: uint8 images must be [N, H, W] or [N, H, W, 1 or 3], not {list(inputs.shape)}; "
            "transpose them, or store what the model takes as float32"
        )
    return stacked


def array(path: Path, name: str) -> np.ndarray:
    """One array of the archive."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            if name not in archive:
                raise ExportError(f"{path}: has no array {name!r}, only {', '.join(archive.files) or 'none'}")
            return archive[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # A pickle would run whatever its author wrote into it.
        raise ExportError(
            f"{path}: {name}: cannot be read: {error}; save plain arrays with np.savez"
        ) from error

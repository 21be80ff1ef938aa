"""What every loader gives: inputs that are read when they are asked for, and their labels."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from models.datasets.card import DataCard
from models.datasets.tree import Tree
from models.errors import ExportError

# PIL guards against decompression bombs at 179 megapixels; photographs of data sets are larger.
Image.MAX_IMAGE_PIXELS = None
LIMIT_PIXELS = 1_000_000_000
GREY_MODES = ("1", "L", "LA", "La")
DEEP_MODES = ("I", "F")  # more than eight bits a channel


class Source(Protocol):
    """One part of a data set.

    ``labels`` is int64 ``[N]``, counted from 0. ``raw(indices)`` gives one array an index: an image is uint8
    ``[H, W, C]`` with one channel (grey) or three (RGB), each of its own size; anything else is a tensor that
    is no image. ``digest()`` is a SHA-256 of what is in it, cheap enough to ask for every time.
    """

    labels: np.ndarray

    def raw(self, indices: Sequence[int] | np.ndarray) -> Sequence[np.ndarray]: ...

    def digest(self) -> str: ...


@dataclass(frozen=True)
class Dataset:
    """Training and held-out inputs; ``classes`` are the names by label."""

    train: Source
    test: Source
    classes: tuple[str, ...]
    card: DataCard
    split: str  # who drew the line between train and test, for the manifest

    def sha256(self) -> str:
        """Changes with every input and label of either part, and with what belongs to which."""
        return hashlib.sha256(f"{self.train.digest()} {self.test.digest()}".encode()).hexdigest()


class ArraySource:
    """Everything in memory: ``inputs`` is ``[N, ...]``, images ``[N, H, W, C]``."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray) -> None:
        self.inputs, self.labels = inputs, labels.astype(np.int64)

    def raw(self, indices: Sequence[int] | np.ndarray) -> Sequence[np.ndarray]:
        """A copy of the rows asked for."""
        return self.inputs[np.asarray(indices, dtype=np.int64)]

    def digest(self) -> str:
        """Of the bytes themselves."""
        digest = hashlib.sha256(f"{self.inputs.dtype} {self.inputs.shape}".encode())
        digest.update(self.labels)
        digest.update(np.ascontiguousarray(self.inputs))
        return digest.hexdigest()


class ImageSource:
    """Image files of a folder or archive, decoded when asked for."""

    def __init__(self, tree: Tree, names: Sequence[str], labels: Sequence[int] | np.ndarray) -> None:
        self.tree, self.names = tree, list(names)
        self.labels = np.asarray(labels, dtype=np.int64)

    def raw(self, indices: Sequence[int] | np.ndarray) -> Sequence[np.ndarray]:
        """Decoded as 8-bit grey or RGB; ExportError naming a file that is no whole image."""
        return [self._decode(self.names[index]) for index in indices]

    def _decode(self, name: str) -> np.ndarray:
        where = f"{self.tree.path}: {name}"
        try:
            with Image.open(io.BytesIO(self.tree.read(name))) as image:
                if image.width * image.height > LIMIT_PIXELS:
                    raise ExportError(f"{where}: has {image.width} x {image.height} pixels; remove it")
                if image.mode.startswith(DEEP_MODES):
                    raise ExportError(f"{where}: has more than 8 bits a channel; convert it to 8 bits")
                pixels = np.asarray(image.convert("L" if image.mode in GREY_MODES else "RGB"))
        except (OSError, SyntaxError, ValueError, EOFError) as error:  # PIL raises all of these
            raise ExportError(f"{where}: is no whole image ({error}); remove it or get it anew") from error
        return pixels if pixels.ndim == 3 else pixels[:, :, None]

    def digest(self) -> str:
        """Of names, sizes and labels, not of the content: reading all of ImageNet takes an hour."""
        digest = hashlib.sha256()
        for name, label in zip(self.names, self.labels, strict=True):
            digest.update(f"{name}\0{self.tree.size(name)}\0{label}\n".encode())
        return digest.hexdigest()

"""scikit-learn's bundled digits: 1797 grey images of 8x8 pixels, values 0 to 16.

The UCI "Optical Recognition of Handwritten Digits" test set (Alpaydin and Kaynak, 1998). The card's
permutation puts the held-out images first; it is the one that `digits-cnn` was trained with.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from models.datasets.card import DataCard
from models.datasets.source import ArraySource, Dataset
from models.errors import ExportError


def load(card: DataCard, folder: Path | None, seed: int) -> Dataset:
    """Both parts; ``folder`` and ``seed`` are ignored."""
    held_out, split_seed = card.split.get("test"), card.split.get("seed")
    if type(held_out) is not int or type(split_seed) is not int:
        raise ExportError(f"{card.path}: split: must have test (a count) and seed")
    digits = load_digits()
    order = np.random.RandomState(split_seed).permutation(len(digits.target))
    images, labels = digits.images[order, :, :, None].astype(np.uint8), digits.target[order]
    return Dataset(
        train=ArraySource(images[held_out:], labels[held_out:]),
        test=ArraySource(images[:held_out], labels[:held_out]),
        classes=tuple(str(name) for name in digits.target_names),
        card=card,
        split=f"permutation of seed {split_seed}",
    )

"""Prepared inputs of a whole split: in memory, or in a file that memory maps where they are large."""

from __future__ import annotations

import hashlib
import json
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models import preprocessing
from models.card import Card

if TYPE_CHECKING:
    from models.datasets.source import Source

IN_MEMORY_BYTES = 1 << 30


def prepared(source: Source, card: Card, path: Path) -> np.ndarray:
    """All inputs float32 ``[N, C, H, W]``. ``path`` names the file, beside it the input table's digest."""
    count = len(source.labels)
    shape = (count, *card.shape)
    if prod(shape) * 4 <= IN_MEMORY_BYTES:
        return preprocessing.prepare(source, np.arange(count), card.input, card.shape)
    told = json.dumps([card.input, preprocessing.versions()], sort_keys=True)
    path = path.with_name(f"{path.stem}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npy")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        out = np.lib.format.open_memmap(partial, "w+", np.float32, shape)
        preprocessing.prepare(source, np.arange(count), card.input, card.shape, out)
        out.flush()
        partial.rename(path)
    return np.load(path, mmap_mode="c")  # written in memory alone, which torch wants to be allowed

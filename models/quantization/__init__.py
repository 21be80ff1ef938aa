"""Post-training conversions of one float file into another, one module a format, by the field's libraries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.errors import ExportError


def batches(calibration: np.ndarray | None, batch: int) -> Iterator[np.ndarray]:
    """The calibration inputs ``[N, ...]`` as a file with this batch takes them; a rest is left out."""
    if calibration is None or len(calibration) < batch:
        count = 0 if calibration is None else len(calibration)
        raise ExportError(f"fiq: {count} calibration inputs, and a batch of the file is {batch}")
    for start in range(0, len(calibration) - batch + 1, batch):
        yield np.ascontiguousarray(calibration[start : start + batch])

"""The user's inputs as the tensors that a model takes: its layout, type and batch. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.adding.spec import Scaling, Spec
from orchestrator.domain import InferometerError

Array = np.ndarray[Any, Any]


def synthetic(spec: Spec, seed: int) -> Array:
    """One seeded tensor ``[1, *shape]``: for latencies alone.

    Floats are uniform in 0 to 1, bytes take every value, larger integers 0 or 1: as an index into a table
    of the model's, a larger one might point outside it.
    """
    generator, shape = np.random.default_rng(seed), (1, *spec.shape)
    if spec.dtype.startswith("float"):
        return generator.random(shape, dtype=np.float32).astype(spec.dtype)
    if spec.dtype in ("uint8", "int8"):
        return generator.integers(0, 256, shape, dtype=np.uint8).view(spec.dtype)
    return generator.integers(0, 2, shape).astype(spec.dtype)


def batched(spec: Spec, items: Array) -> Array:
    """``[K, *shape]`` of prepared items ``[N, *item]``; what fills no batch is left out."""
    count = len(items) // spec.batch
    return items[: count * spec.batch].reshape(count, *spec.shape)


def prepared(path: Path, spec: Spec, items: Array, scaling: Scaling, is_pictures: bool) -> Array:
    """Items ``[N, *item]`` in the model's type. ``items``: as they are, pictures as uint8 ``[N, H, W, C]``.

    Pixels of a float model are scaled as ``scaling`` says. An integer model takes pixels as bytes (int8:
    minus 128) and quantises floats with its own scale and zero point. Raises InferometerError naming
    ``path`` and what is missing.
    """
    items = _oriented(path, spec, items, is_pictures)
    if items.dtype.kind == "f" and not np.isfinite(items).all():
        raise InferometerError(f"{path}: its inputs hold values that are not finite")
    if scaling:
        if items.dtype != np.uint8:
            raise InferometerError(
                f"{path}: its inputs are {items.dtype}, and only uint8 pixels are scaled; "
                "leave --input-range, --mean and --std out"
            )
        items = _scaled(path, spec, items, scaling)
    return _typed(path, spec, items)


def _oriented(path: Path, spec: Spec, items: Array, is_pictures: bool) -> Array:
    given = items.shape[1:]
    as_channels_last = (*spec.item[1:], spec.item[0])
    if is_pictures:
        return np.ascontiguousarray(items.transpose(0, 3, 1, 2)) if spec.layout == "NCHW" else items
    if given == spec.item:
        return items
    if spec.layout == "NCHW" and given == as_channels_last:
        return np.ascontiguousarray(items.transpose(0, 3, 1, 2))
    if spec.layout == "NHWC" and (*given[1:], given[0]) == spec.item:
        return np.ascontiguousarray(items.transpose(0, 2, 3, 1))
    raise InferometerError(
        f"{path}: its inputs have the shape {list(given)}, the model takes {list(spec.item)}; reshape them"
    )


def _scaled(path: Path, spec: Spec, items: Array, scaling: Scaling) -> Array:
    unit = items.astype(np.float32) / np.float32(255)
    if scaling.limits:
        low, high = scaling.limits
        return unit * np.float32(high - low) + np.float32(low)
    mean, std = (np.array(values, dtype=np.float32) for values in (scaling.mean, scaling.std))
    if len(mean) > 1:
        if spec.layout is None or len(mean) != spec.channels:
            channels = spec.channels if spec.layout else "no known"
            raise InferometerError(f"{path}: --mean has {len(mean)} numbers, the input {channels} channels")
        if spec.layout == "NCHW":
            mean, std = mean[:, None, None], std[:, None, None]
    scaled: Array = (unit - mean) / std
    return scaled


def _typed(path: Path, spec: Spec, items: Array) -> Array:
    wanted = np.dtype(spec.dtype)
    if items.dtype == wanted:
        return items
    if items.dtype.kind == "f":
        return items.astype(wanted) if wanted.kind == "f" else _quantised(path, spec, items)
    if items.dtype.kind not in "iu":
        raise InferometerError(f"{path}: its inputs are {items.dtype}, the model takes {spec.dtype}")
    if items.dtype == np.uint8 and wanted == np.int8:
        return (items ^ np.uint8(128)).view(np.int8)  # pixel - 128
    if items.dtype == np.uint8 and wanted.kind == "f":
        raise InferometerError(
            f"{path}: a float model does not say its range of pixels; "
            "say --input-range 0,1, or --mean and --std"
        )
    typed = items.astype(wanted)
    if wanted.kind == "f" or not np.array_equal(typed.astype(items.dtype), items):
        raise InferometerError(
            f"{path}: its inputs are {items.dtype}, the model takes {spec.dtype}; save them so"
        )
    return typed


def _quantised(path: Path, spec: Spec, items: Array) -> Array:
    if spec.quantization is None:
        raise InferometerError(
            f"{path}: its inputs are {items.dtype}, the model takes {spec.dtype} and does not say its scale; "
            f"save them as {spec.dtype}"
        )
    scale, zero_point = spec.quantization
    limits = np.iinfo(spec.dtype)
    steps = np.rint(items.astype(np.float64) / scale) + zero_point
    clipped: Array = np.clip(steps, limits.min, limits.max).astype(spec.dtype)
    return clipped

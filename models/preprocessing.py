"""Raw images to a network's inputs: once, outside every runner, as torchvision's transforms do it.

Resize (shorter side, PIL's antialiased filters), centre crop, grey or RGB, divide by the highest raw value,
subtract the mean, divide by the standard deviation: in float32, in this order. The bytes equal those of
``Resize, CenterCrop, ToTensor, Normalize``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import PIL
from PIL import Image

from models.datasets.source import Source
from models.errors import ExportError

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}
RESHAPES = {"resize", "crop"}
BATCH = 64  # raw inputs held at a time


def prepare(
    source: Source,
    indices: Sequence[int] | np.ndarray,
    table: dict[str, Any],
    shape: tuple[int, ...],
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Inputs ``[n, C, H, W]`` float32 of the indices, in their order; ``table`` is a card's ``[input]``.

    Tensors that are no images come out as they are, ``[n, *shape]``. At most 64 raw inputs are in memory
    beside the result; ``out`` takes it elsewhere (a ``numpy.memmap`` for what exceeds memory). Raises
    ExportError naming an input of another shape.
    """
    result = np.empty((len(indices), *shape), dtype=np.float32) if out is None else out
    if result.shape != (len(indices), *shape) or result.dtype != np.float32:
        raise ValueError(f"out must be float32 {(len(indices), *shape)}")
    done = 0
    for batch in batches(source, indices, table, shape):
        result[done : done + len(batch)] = batch
        done += len(batch)
    return result


def batches(
    source: Source,
    indices: Sequence[int] | np.ndarray,
    table: dict[str, Any],
    shape: tuple[int, ...],
    size: int = BATCH,
) -> Iterator[np.ndarray]:
    """The same ``size`` at a time, for data that is larger than memory."""
    for begin in range(0, len(indices), size):
        chosen = indices[begin : begin + size]
        arrays = source.raw(chosen)
        if isinstance(arrays, np.ndarray) and fits(arrays, table, shape):
            yield scaled(arrays, table)
        else:
            yield np.stack(
                [one(raw, table, shape, int(index)) for index, raw in zip(chosen, arrays, strict=True)]
            )


def fits(images: np.ndarray, table: dict[str, Any], shape: tuple[int, ...]) -> bool:
    """Whether images ``[n, H, W, C]`` have the model's size and channels already."""
    return is_image(images[0]) and images.shape[1:] == (*shape[1:], shape[0]) and not table.keys() & RESHAPES


def one(raw: np.ndarray, table: dict[str, Any], shape: tuple[int, ...], index: int) -> np.ndarray:
    """One prepared input."""
    if not is_image(raw):
        if raw.shape != shape:
            raise ExportError(f"input {index}: has shape {list(raw.shape)}, the model takes {list(shape)}")
        return raw.astype(np.float32)
    channels, height, width = shape
    image = Image.fromarray(raw[:, :, 0] if raw.shape[2] == 1 else raw)
    if "resize" in table:
        image = resized(image, table["resize"], table.get("interpolation", "bilinear"))
    image = centre(image, height, width, index) if "resize" in table or "crop" in table else image
    if image.size != (width, height):
        raise ExportError(
            f"input {index}: has {image.width} x {image.height} pixels, the model takes {width} x {height}; "
            "give the input table a resize"
        )
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(height, width, channels)
    return scaled(pixels[None], table)[0]


def scaled(pixels: np.ndarray, table: dict[str, Any]) -> np.ndarray:
    """``[n, H, W, C]`` uint8 to ``[n, C, H, W]`` float32."""
    mean, std = (np.array(table[name], dtype=np.float32)[:, None, None] for name in ("mean", "std"))
    return (pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(table["maximum"]) - mean) / std


def is_image(raw: np.ndarray) -> bool:
    """What ``Source`` calls an image."""
    return raw.dtype == np.uint8 and raw.ndim == 3 and raw.shape[2] in (1, 3)


def resized(image: Image.Image, shorter: int, interpolation: str) -> Image.Image:
    """The shorter side at that many pixels, the longer rounded down, as torchvision does."""
    width, height = image.size
    if min(width, height) == shorter:
        return image
    if width <= height:
        size = shorter, int(shorter * height / width)
    else:
        size = int(shorter * width / height), shorter
    return image.resize(size, FILTERS[interpolation])


def centre(image: Image.Image, height: int, width: int, index: int) -> Image.Image:
    """The middle of the image; ExportError where it is smaller."""
    if image.width < width or image.height < height:
        raise ExportError(
            f"input {index}: {image.width} x {image.height} pixels are fewer than the crop's "
            f"{width} x {height}; give the input table a larger resize"
        )
    left, top = round((image.width - width) / 2.0), round((image.height - height) / 2.0)
    return image.crop((left, top, left + width, top + height))


def versions() -> dict[str, str]:
    """Of the libraries whose code decides the bytes."""
    return {"numpy": np.__version__, "pillow": PIL.__version__}


def digest(table: dict[str, Any], prepared: np.ndarray | Iterable[np.ndarray]) -> str:
    """SHA-256 over the input table, those versions, and the prepared bytes (whole, or as batches)."""
    result = hashlib.sha256(json.dumps([table, versions()], sort_keys=True).encode())
    for batch in [prepared] if isinstance(prepared, np.ndarray) else prepared:
        result.update(np.ascontiguousarray(batch, dtype="<f4"))
    return result.hexdigest()

"""What a model file takes, as its runtime read it from the file, and what the user said beside it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError

DTYPES = (
    *("float32", "float16", "float64", "uint8", "int8"),
    *("int16", "int32", "int64", "uint16", "uint32", "uint64"),
)
LAYOUTS = ("NCHW", "NHWC")
# Fits every file system, a bundle's members, and the grammar of model ids, where @ and ~ mean something.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")


@dataclass(frozen=True)
class Spec:
    """The one input of a model. ``quantization``: (scale, zero point) of a whole tensor, where it has one.

    ``layout`` is that of a batch of images, None where the shape is none or does not tell.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    batch: int
    layout: str | None
    quantization: tuple[float, int] | None = None
    outputs: int | None = None  # values of the first output per item; None where the file leaves it open

    @property
    def item(self) -> tuple[int, ...]:
        """The shape of one of the things that a batch holds."""
        return self.shape[1:] if len(self.shape) > 1 and self.shape[0] == self.batch else self.shape

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of a picture, Pillow's order; for an input that has a layout."""
        height, width = self.item[1:] if self.layout == "NCHW" else self.item[:2]
        return width, height

    @property
    def channels(self) -> int:
        """1 grey, 3 RGB; for an input that has a layout."""
        return self.item[0] if self.layout == "NCHW" else self.item[2]


@dataclass(frozen=True)
class Scaling:
    """How pixels become what a model takes: ``limits`` for 0 and 255, or ``(pixel / 255 - mean) / std``."""

    limits: tuple[float, float] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return self.limits is not None or bool(self.mean)


def check_id(name: str, path: Path, suite: Sequence[str]) -> str:
    """``name`` unchanged. Raises InferometerError where it cannot be the id of a user's own model."""
    if not _ID.fullmatch(name):
        raise InferometerError(
            f"{path}: {name!r:.80} cannot be a model's id; give one of letters, digits, _ . + - with --id"
        )
    if name in suite:
        raise InferometerError(f"{path}: {name} is a model of the suite; give another id with --id")
    return name


def scaling(limits: tuple[float, float] | None, mean: str | None, std: str | None) -> Scaling:
    """The user's words. Raises InferometerError where they do not go together."""
    if (mean is None) != (std is None):
        raise InferometerError("--mean and --std go together; give both, e.g. --mean 0.5 --std 0.25")
    if limits and mean is not None:
        raise InferometerError("--input-range and --mean/--std say the same thing; give one of them")
    if mean is None or std is None:
        return Scaling(limits)
    means, stds = _numbers("--mean", mean), _numbers("--std", std)
    if len(means) != len(stds) or not all(value > 0 for value in stds):
        raise InferometerError("--std: give as many numbers as --mean, each above 0")
    return Scaling(None, means, stds)


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
        if all(map(math.isfinite, found)):
            return found
    except ValueError:
        pass
    raise InferometerError(f"{option} {text!r:.60}: give one number, or one a channel like 0.485,0.456,0.406")


def read(path: Path, signature: Mapping[str, Any], batch: int | None, layout: str | None) -> Spec:
    """The input of an inspected model. Raises InferometerError naming what must be said or mended.

    The first of several dimensions is the batch, unless ``batch`` is 1 and it is larger: then the whole
    tensor is one item.
    """
    inputs = signature["inputs"]
    if len(inputs) != 1:
        names = ", ".join(f"`{tensor['name']}`" for tensor in inputs[:8])
        raise InferometerError(f"{path}: has {len(inputs)} inputs ({names}); only models with one can be fed")
    name, dtype, shape = inputs[0]["name"], inputs[0]["dtype"], list(inputs[0]["shape"])
    what = f"{path}: input `{name}`"
    if dtype not in DTYPES:
        raise InferometerError(f"{what} is {dtype}; known are {', '.join(DTYPES)}")
    if not shape:
        raise InferometerError(f"{what} is a single number; only tensors can be fed")
    if not _fixed(shape[0]):
        if batch is None:
            raise InferometerError(f"{what} has an open batch dimension; say --batch 1")
        shape[0] = batch
    if not all(map(_fixed, shape)):
        sizes = ", ".join("?" if size is None else str(size) for size in shape)
        raise InferometerError(
            f"{what} has open dimensions besides its batch, [{sizes}]; export it with fixed ones"
        )
    found = shape[0] if len(shape) > 1 else 1
    if batch not in (None, 1, found):
        raise InferometerError(
            f"{what} has the shape {shape}, which fixes the batch at {found}; leave --batch out"
        )
    return Spec(
        name,
        tuple(shape),
        dtype,
        batch or found,
        _layout(what, shape, layout),
        _per_tensor(inputs[0].get("quantization")),
        _outputs(signature.get("outputs") or (), batch or found),
    )


def _fixed(size: Any) -> bool:
    return isinstance(size, int) and size > 0


def _layout(what: str, shape: Sequence[int], said: str | None) -> str | None:
    if len(shape) != 4:
        if said:
            raise InferometerError(
                f"{what} has the shape {list(shape)}, no batch of images; leave --layout out"
            )
        return None
    axes = {"NCHW": 1, "NHWC": 3}
    if said:
        if shape[axes[said]] not in (1, 3):
            raise InferometerError(f"{what} has {shape[axes[said]]} channels as {said}; leave --layout out")
        return said
    able = [name for name, axis in axes.items() if shape[axis] in (1, 3)]
    return able[0] if len(able) == 1 else None


def _per_tensor(given: Mapping[str, Any] | None) -> tuple[float, int] | None:
    if not given or len(given["scale"]) != 1 or given["scale"][0] <= 0:
        return None
    return float(given["scale"][0]), int(given["zero_point"][0])


def _outputs(given: Sequence[Mapping[str, Any]], batch: int) -> int | None:
    shape = list(given[0]["shape"]) if given else []
    if shape and not _fixed(shape[0]):
        shape[0] = batch
    if not shape or not all(map(_fixed, shape)):
        return None
    return int(math.prod(shape) // batch)

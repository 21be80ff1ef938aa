"""A data card: the TOML file that says what a data set is. Reads one file, imports no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

from models.errors import ExportError

LOADERS = ("digits", "cifar", "folder", "msl", "npz")
AUGMENTS = ("none", "flip", "crop-flip")  # what training may do with an image
INTERPOLATIONS = ("bilinear", "bicubic", "nearest")


@dataclass(frozen=True)
class DataCard:
    """``input`` and ``split`` are the card's tables as they stand, checked."""

    path: Path  # of the card; of the data itself where a user's own data has none
    id: str
    title: str
    loader: str
    classes: int
    licence: str
    citation: str
    input: dict[str, Any]
    shape: tuple[int, ...]  # of one prepared input: channels, height, width; any for what is no image
    split: dict[str, Any]
    augment: str
    score: int  # how many held-out inputs every runtime is scored on, at most
    calibration: int  # how many training inputs quantisers see, at most


def read(path: Path) -> DataCard:
    """Parse and check the card; raise ExportError naming the file and the field."""

    def refuse(field: str, wrong: str) -> ExportError:
        return ExportError(f"{path}: {field}: {wrong}")

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExportError(f"{path}: cannot read the card: {error}") from error

    def field(name: str, kind: type, default: Any = ...) -> Any:
        value = data.get(name, default)
        if value is ...:
            raise refuse(name, "is missing")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise refuse(name, f"must be a {kind.__name__}, not {value!r}")
        return value

    def one_of(name: str, allowed: tuple[str, ...]) -> str:
        value = field(name, str)
        if value not in allowed:
            raise refuse(name, f"must be one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    def count(name: str, least: int, default: Any = ...) -> int:
        value = field(name, int, default)
        if value < least:
            raise refuse(name, f"must be at least {least}, not {value}")
        return int(value)

    loader = one_of("loader", LOADERS)
    table = field("input", dict)
    wrong = input_fault(table, image=loader != "npz")
    if wrong:
        raise refuse(*wrong)
    return DataCard(
        path=path,
        id=path.stem,
        title=field("title", str),
        loader=loader,
        classes=count("classes", 2),
        licence=field("licence", str),
        citation=field("citation", str),
        input=table,
        shape=tuple(table["shape"]),
        split=field("split", dict, {}),
        augment=one_of("augment", AUGMENTS),
        score=count("score", 1, 1000),
        calibration=count("calibration", 1, 200),
    )


def input_fault(table: dict[str, Any], image: bool) -> tuple[str, str] | None:
    """(field, what is wrong with it) of an ``[input]`` table, or None.

    An image's has ``shape`` (channels, height, width), ``maximum`` (the highest raw value), ``mean`` and
    ``std`` (one number a channel); ``resize`` (shorter side, pixels), ``crop`` (side, pixels) and
    ``interpolation`` may be there. What is no image has a ``shape`` of any length and is taken as it is.
    """
    shape = table.get("shape")
    if not isinstance(shape, list) or not shape or not all(type(side) is int and side > 0 for side in shape):
        return "input.shape", f"must be a list of whole numbers above 0, not {shape!r}"
    if not image:
        return None
    if len(shape) != 3 or shape[0] not in (1, 3):
        return "input.shape", f"must be [channels, height, width] with 1 or 3 channels, not {shape!r}"
    for name in ("mean", "std"):
        values = table.get(name)
        if (
            not isinstance(values, list)
            or len(values) != shape[0]
            or not all(type(value) in (int, float) for value in values)
        ):
            return f"input.{name}", f"must hold {shape[0]} numbers, not {values!r}"
    if not all(value > 0 for value in table["std"]):
        return "input.std", f"must be above 0, not {table['std']!r}"
    for name in ("maximum", "resize", "crop"):
        value = table.get(name, ... if name == "maximum" else 1)
        if type(value) is not int or value < 1:
            return f"input.{name}", f"must be a whole number of at least 1, not {table.get(name)!r}"
    crop = table.get("crop")
    if crop is not None and [crop, crop] != shape[1:]:
        return "input.crop", f"must be the height and width of input.shape, not {crop}"
    if table.get("interpolation", "bilinear") not in INTERPOLATIONS:
        return "input.interpolation", f"must be one of {', '.join(INTERPOLATIONS)}"
    return None


def valid_name(name: str) -> bool:
    """Whether a folder's or file's name can be the id of somebody's own data."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None

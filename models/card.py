"""A model card: the TOML file that says what a model is. Reads one file, imports no torch."""

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

FORMATS = ("onnx", "tflite", "pt2")
WEIGHT_KINDS = {"pretrained": ("url",), "bundled": ("file", "seed"), "yours": ("file",)}


@dataclass(frozen=True)
class Card:
    """``input`` and ``weights`` are the card's tables as they stand, checked."""

    path: Path
    id: str  # the file's name without .toml
    title: str
    builder: str  # module below models/builders, and the name of a model in it
    classes: int
    shape: tuple[int, int, int]  # channels, height, width of one input
    input: dict[str, Any]
    weights: dict[str, Any]
    variants: dict[str, tuple[str, ...]]  # variant -> formats


def read(path: Path) -> Card:
    """Parse and check the card; raise ExportError naming the file and the field."""

    def refuse(field: str, wrong: str) -> ExportError:
        return ExportError(f"{path}: {field}: {wrong}")

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExportError(f"{path}: cannot read the card: {error}") from error

    def field(table: dict[str, Any], where: str, name: str, kind: type) -> Any:
        if name not in table:
            raise refuse(f"{where}{name}", "is missing")
        value = table[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise refuse(f"{where}{name}", f"must be a {kind.__name__}, not {value!r}")
        return value

    classes = field(data, "", "classes", int)
    if classes < 2:
        raise refuse("classes", f"must be at least 2, not {classes}")
    builder = field(data, "", "builder", str)
    if not re.fullmatch(r"[a-z][a-z0-9_]*:[A-Za-z]\w*", builder):
        raise refuse("builder", f'must look like "torchvision:resnet50", not {builder!r}')

    table = field(data, "", "input", dict)
    shape = field(table, "input.", "shape", list)
    if len(shape) != 3 or not all(type(side) is int and side > 0 for side in shape):
        raise refuse("input.shape", f"must be [channels, height, width], not {shape!r}")
    for name in ("mean", "std"):
        values = field(table, "input.", name, list)
        if len(values) != shape[0] or not all(type(value) in (int, float) for value in values):
            raise refuse(f"input.{name}", f"must hold {shape[0]} numbers, not {values!r}")
    if not all(value > 0 for value in table["std"]):
        raise refuse("input.std", f"must be above 0, not {table['std']!r}")
    if field(table, "input.", "maximum", int) < 1:
        raise refuse("input.maximum", "must be at least 1: the highest raw pixel value")

    weights = field(data, "", "weights", dict)
    kind = field(weights, "weights.", "kind", str)
    if kind not in WEIGHT_KINDS:
        raise refuse("weights.kind", f"must be one of {', '.join(WEIGHT_KINDS)}, not {kind!r}")
    for name in WEIGHT_KINDS[kind]:
        field(weights, "weights.", name, int if name == "seed" else str)
    if not re.fullmatch(r"[0-9a-f]{64}", field(weights, "weights.", "sha256", str)):
        raise refuse("weights.sha256", "must be 64 hexadecimal digits")

    variants = {}
    for name, variant in field(data, "", "variants", dict).items():
        if not isinstance(variant, dict):
            raise refuse(f"variants.{name}", "must be a table")
        formats = field(variant, f"variants.{name}.", "formats", list)
        unknown = [item for item in formats if item not in FORMATS]
        if unknown or not formats:
            raise refuse(f"variants.{name}.formats", f"must be some of {', '.join(FORMATS)}, not {formats!r}")
        variants[name] = tuple(formats)
    if not variants:
        raise refuse("variants", "must name at least one variant")
    return Card(
        path=path,
        id=path.stem,
        title=field(data, "", "title", str),
        builder=builder,
        classes=classes,
        shape=tuple(shape),
        input=table,
        weights=weights,
        variants=variants,
    )

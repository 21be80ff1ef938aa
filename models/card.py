"""A model card: the TOML file that says what a model is. Reads one file, imports no torch.

A model's id is ``MODEL[@DATA][~SCALE]``: the card's own network with its own weights; or the same
architecture for a data card's classes and images, trained here; or that, scaled down.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

from models.errors import ExportError

if TYPE_CHECKING:
    from models.datasets.card import DataCard

FORMATS = ("onnx", "onnx-s8", "tflite", "pt2")
WEIGHT_KINDS = {
    "pretrained": ("url", "sha256"),
    "bundled": ("file", "seed", "sha256"),
    "yours": ("file", "sha256"),
    "none": ("reason",),
}
BUILDER = r"[a-z][a-z0-9_]*:[A-Za-z]\w*"
SMALL_SIDE = 64  # pixels: up to here an input is for `small`
_OF_A_SCALE = ("builder", "settings", "teacher")  # what a scale may hold beside keywords of the builder


@dataclass(frozen=True)
class Card:
    """``input`` and ``weights`` are the card's tables as they stand, checked."""

    path: Path
    id: str  # the file's name without .toml; of an instance MODEL@DATA or MODEL@DATA~SCALE
    title: str
    family: str  # of networks, e.g. "resnet"
    builder: str  # module below models/builders, and the name of a model in it
    classes: int
    shape: tuple[int, int, int]  # channels, height, width of one input
    input: dict[str, Any]
    weights: dict[str, Any]  # of an instance: its kind and `start`, a pretrained card's table or None
    variants: dict[str, tuple[str, ...]]  # variant -> formats, where they are fewer than the technique's
    small: str | None = None  # the builder for inputs of at most SMALL_SIDE pixels a side
    options: dict[str, Any] = field(default_factory=dict)  # keywords of the builder
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)  # technique -> its settings here
    scales: dict[str, dict[str, Any]] = field(default_factory=dict)
    teacher: str | None = None  # MODEL or MODEL~SCALE, for kd
    data: str | None = None  # the data card's id, of an instance
    scale: str | None = None


def derive(card: Card, data: DataCard, scale: str | None = None) -> Card:
    """The instance of a card for some data, at a scale of the card where one is named.

    It has the data's classes and input, the builder for images of that size, the scale's options and
    settings over the card's, and weights that are trained. Pretrained weights are kept as a start where
    the images are of the size they were made for and nothing is scaled; what was published for just this
    data is taken as it is. Raises ExportError.
    """
    id_ = f"{card.id}@{data.id}" + (f"~{scale}" if scale else "")
    if scale and scale not in card.scales:
        known = ", ".join(card.scales) or "none"
        raise ExportError(f"{card.path}: scales: there is no {scale!r}; known: {known}")
    scaled = card.scales[scale] if scale else {}
    shape = tuple(data.input["shape"])
    if len(shape) != 3:
        raise ExportError(f"{data.path}: input.shape: {card.id} takes images, not {list(shape)}")
    is_small = max(shape[1:]) <= SMALL_SIDE
    builder = scaled.get("builder") or (card.small if is_small and card.small else card.builder)
    own = {name: value for name, value in scaled.items() if name not in _OF_A_SCALE}
    fits = not scaled and builder == card.builder and shape == card.shape
    start = card.weights if fits and card.weights["kind"] == "pretrained" else None
    of_this = start is not None and start.get("data") == data.id and card.classes == data.classes
    return replace(
        card,
        id=id_,
        title=f"{card.title} for {data.title}" + (f", {scale}" if scale else ""),
        builder=builder,
        classes=data.classes,
        shape=shape,
        input=dict(data.input),
        weights={"kind": "pretrained" if of_this else "trained", "start": start},
        options=card.options | own,
        settings=_over(card.settings, scaled.get("settings", {})),
        teacher=scaled.get("teacher", card.teacher),
        data=data.id,
        scale=scale,
    )


def _over(below: dict[str, dict[str, Any]], above: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {code: below.get(code, {}) | above.get(code, {}) for code in {**below, **above}}


def read(path: Path) -> Card:
    """Parse and check the card; raise ExportError naming the file and the field."""

    def refuse(field: str, wrong: str) -> ExportError:
        return ExportError(f"{path}: {field}: {wrong}")

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExportError(f"{path}: cannot read the card: {error}") from error

    def field(table: dict[str, Any], where: str, name: str, kind: type, default: Any = ...) -> Any:
        value = table.get(name, default)
        if value is ...:
            raise refuse(f"{where}{name}", "is missing")
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            raise refuse(f"{where}{name}", f"must be a {kind.__name__}, not {value!r}")
        return value

    def builder(table: dict[str, Any], where: str, name: str, default: Any = ...) -> Any:
        value = field(table, where, name, str, default)
        if value is not None and not re.fullmatch(BUILDER, value):
            raise refuse(f"{where}{name}", f'must look like "torchvision:resnet50", not {value!r}')
        return value

    classes = field(data, "", "classes", int)
    if classes < 2:
        raise refuse("classes", f"must be at least 2, not {classes}")
    table = field(data, "", "input", dict)
    return Card(
        path=path,
        id=path.stem,
        title=field(data, "", "title", str),
        family=field(data, "", "family", str, path.stem),
        builder=builder(data, "", "builder"),
        classes=classes,
        shape=_input(table, refuse, field),
        input=table,
        weights=_weights(field(data, "", "weights", dict), refuse, field),
        variants=_variants(field(data, "", "variants", dict, {}), refuse, field),
        small=builder(data, "", "small", None),
        options=field(data, "", "options", dict, {}),
        settings=_settings(field(data, "", "settings", dict, {}), "settings.", field),
        scales=_scales(field(data, "", "scales", dict, {}), field, builder),
        teacher=field(data, "", "teacher", str, None),
    )


Refuse = Callable[[str, str], ExportError]
Field = Callable[..., Any]


def _input(table: dict[str, Any], refuse: Refuse, field: Field) -> tuple[int, int, int]:
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
    return shape[0], shape[1], shape[2]


def _weights(table: dict[str, Any], refuse: Refuse, field: Field) -> dict[str, Any]:
    kind = field(table, "weights.", "kind", str)
    if kind not in WEIGHT_KINDS:
        raise refuse("weights.kind", f"must be one of {', '.join(WEIGHT_KINDS)}, not {kind!r}")
    for name in WEIGHT_KINDS[kind]:
        value = field(table, "weights.", name, int if name == "seed" else str)
        if name == "sha256" and not re.fullmatch(r"[0-9a-f]{64}", value):
            raise refuse("weights.sha256", "must be 64 hexadecimal digits")
    return table


def _variants(table: dict[str, Any], refuse: Refuse, field: Field) -> dict[str, tuple[str, ...]]:
    found = {}
    for name in table:
        variant = field(table, "variants.", name, dict)
        formats = field(variant, f"variants.{name}.", "formats", list)
        unknown = [item for item in formats if item not in FORMATS]
        if unknown or not formats:
            raise refuse(f"variants.{name}.formats", f"must be some of {', '.join(FORMATS)}, not {formats!r}")
        found[name] = tuple(formats)
    return found


def _settings(table: dict[str, Any], where: str, field: Field) -> dict[str, dict[str, Any]]:
    return {code: field(table, where, code, dict) for code in table}


def _scales(table: dict[str, Any], field: Field, builder: Field) -> dict[str, dict[str, Any]]:
    found = {}
    for name in table:
        where, scale = f"scales.{name}.", field(table, "scales.", name, dict)
        builder(scale, where, "builder", None)
        field(scale, where, "teacher", str, None)
        _settings(field(scale, where, "settings", dict, {}), f"{where}settings.", field)
        found[name] = scale
    return found

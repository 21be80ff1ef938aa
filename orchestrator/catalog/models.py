"""Models: cards ``models/<id>.toml``, and instances of them for data, ``MODEL@DATA[~SCALE]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from orchestrator.catalog.fields import load_toml
from orchestrator.catalog.variants import Technique, Variant, parse_variant
from orchestrator.domain import InferometerError
from orchestrator.plan import known


@dataclass(frozen=True)
class Model:
    """A model card, or an instance of one, which is trained here on ``data``."""

    id: str
    title: str
    path: Path
    variants: Mapping[str, tuple[str, ...]]  # variant -> formats, where they are fewer than usual
    weights: Mapping[str, Any]
    default: bool  # part of a bench that names no models
    family: str = ""
    data: str | None = None  # an id
    scale: str | None = None
    data_card: Path | None = None  # None where the data is somebody's own
    teachers: tuple[Path, ...] = ()  # cards of the models it learns from
    techniques: Mapping[str, Technique] = field(default_factory=dict)

    def variant(self, code: str) -> Variant:
        """One of its variants. Raises InferometerError for a code that says none."""
        found = parse_variant(code, self.techniques)
        return replace(found, formats=self.variants.get(code, found.formats))

    def obstacle(self, code: str) -> str | None:
        """Why there is no such variant of it, or None. Raises InferometerError for a wrong code."""
        if self.data is None and self.variant(code).trains:
            return f"{code} must be trained, and {self.id} has no data for that; try {self.id}@digits"
        return None


def read_model(path: Path, techniques: Mapping[str, Technique] = MappingProxyType({})) -> Model:
    """One model card."""
    fields = load_toml(path)
    variants = fields.table("variants", {})
    return Model(
        path.stem,
        fields.get("title", str),
        path,
        {name: variants.table(name).strings("formats") for name in variants.data},
        fields.get("weights", dict),
        fields.get("default", bool, False),
        fields.get("family", str, path.stem),
        techniques=techniques,
    )


def instance(model: Model, data: str, scale: str | None, data_card: Path | None) -> Model:
    """A card's architecture for some data, at one of the card's scales. Raises InferometerError.

    ``data_card`` is None for somebody's own data: it is prepared as the model's card says.
    """
    fields = load_toml(model.path)
    scales = fields.get("scales", dict, {})
    if scale is not None:
        known(f"scale of {model.id}", [scale], list(scales))
    card = load_toml(data_card) if data_card else None
    shapes = {str(item.table("input").get("shape", list)) for item in (fields, card) if item}
    # Pretrained weights are a start where nothing is scaled and images have the size they were made for.
    is_start = scale is None and len(shapes) == 1 and model.weights.get("kind") == "pretrained"
    teacher = {**fields.data, **scales.get(scale, {})}.get("teacher")
    teachers = [model.path.with_name(f"{teacher.partition('~')[0]}.toml")] if teacher else []
    return replace(
        model,
        id=f"{model.id}@{data}" + (f"~{scale}" if scale else ""),
        title=f"{model.title} for {card.get('title', str) if card else data}"
        + (f", {scale}" if scale else ""),
        weights=model.weights if is_start else {"kind": "trained"},
        default=False,
        data=data,
        scale=scale,
        data_card=data_card,
        teachers=tuple(teachers),
    )


def parts(id_: str) -> tuple[str, str | None, str | None]:
    """``MODEL[@DATA][~SCALE]`` as its three parts. Raises InferometerError."""
    head, tilde, scale = id_.partition("~")
    name, at, data = head.partition("@")
    if not name or (at and not data) or (tilde and not scale):
        raise InferometerError(f"model {id_!r}: write MODEL, MODEL@DATA or MODEL@DATA~SCALE")
    if tilde and not at:
        raise InferometerError(
            f"model {id_!r}: a scaled-down network is trained; name the data, as in {name}@digits~{scale}"
        )
    return name, data or None, scale or None

"""Models: cards ``models/<id>.toml``, and instances of them for data, ``MODEL@DATA[~SCALE]``.

A user's own models have their cards in a folder of the user's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.catalog.variants import BASELINE, Technique, Variant, parse_variant
from orchestrator.domain import InferometerError
from orchestrator.plan import known

OWN = "own"  # the variant of a file that its owner brought: what was done to it is the owner's knowledge


def user_models(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own models live: ``$INFEROMETER_MODELS``, else below the user's data folder.

    Not the cache, which may be deleted at any time: nothing could make these files again.
    """
    base = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(environ.get("INFEROMETER_MODELS") or Path(base) / "inferometer" / "models")


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
    batches: tuple[int, ...] = ()  # of files that fix them; empty: whatever is asked for

    @property
    def is_given(self) -> bool:
        """Whether its artifacts are files that its owner brought; nothing exports those."""
        return OWN in self.variants

    @property
    def folder(self) -> Path:
        """Beside the card: what belongs to a user's own model."""
        return self.path.with_suffix("")

    def asked(
        self, variants: tuple[str, ...], batches: tuple[int, ...]
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The variants and batch sizes that a wish for these (empty: the defaults) leads to.

        A user's file fixes its batch, and what was done to it is its owner's knowledge.
        """
        return (OWN,) if self.is_given else variants or (BASELINE,), batches or self.batches or (1,)

    def variant(self, code: str) -> Variant:
        """One of its variants. Raises InferometerError for a code that says none."""
        if self.is_given:
            return Variant(OWN, BASELINE, self.variants[OWN], trains=False)
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
        batches=_batches(variants.table(OWN)) if OWN in variants.data else (),
    )


def _batches(fields: Fields) -> tuple[int, ...]:
    values = fields.get("batches", list)
    if not values or not all(type(value) is int and value > 0 for value in values):
        raise InferometerError(f"{fields.path}: field {fields.prefix}batches must be a list of counts")
    return tuple(values)


def instance(model: Model, data: str, scale: str | None, data_card: Path | None) -> Model:
    """A card's architecture for some data, at one of the card's scales. Raises InferometerError.

    ``data_card`` is None for somebody's own data: it is prepared as the model's card says.
    """
    if model.is_given:
        raise InferometerError(f"{model.id}@{data}: {model.id} is a file, no network that can be trained")
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

"""Model cards: ``models/<id>.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.catalog.fields import load_toml


@dataclass(frozen=True)
class Model:
    """A model card."""

    id: str
    title: str
    path: Path
    variants: Mapping[str, tuple[str, ...]]  # variant -> formats
    weights: Mapping[str, Any]
    default: bool  # part of a bench that names no models


def read_model(path: Path) -> Model:
    """One model card."""
    fields = load_toml(path)
    variants = fields.table("variants")
    return Model(
        path.stem,
        fields.get("title", str),
        path,
        {name: variants.table(name).strings("formats") for name in variants.data},
        fields.get("weights", dict),
        fields.get("default", bool, False),
    )

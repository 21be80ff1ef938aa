"""Model cards: ``models/<id>.toml``, and those of the user's own models in a folder of theirs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.domain import InferometerError

OWN = "own"  # the variant of a file that its owner brought: what was done to it is the owner's knowledge


def user_models(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own models live: ``$INFEROMETER_MODELS``, else below the user's data folder.

    Not the cache, which may be deleted at any time: nothing could make these files again.
    """
    base = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(environ.get("INFEROMETER_MODELS") or Path(base) / "inferometer" / "models")


@dataclass(frozen=True)
class Model:
    """A model card."""

    id: str
    title: str
    path: Path
    variants: Mapping[str, tuple[str, ...]]  # variant -> formats
    weights: Mapping[str, Any]
    default: bool  # part of a bench that names no models
    batches: tuple[int, ...] = ()  # of a file that fixes them; empty: whatever is asked for

    @property
    def is_given(self) -> bool:
        """Whether its artifacts are files that its owner brought; nothing exports those."""
        return OWN in self.variants

    @property
    def folder(self) -> Path:
        """Beside the card: what belongs to a user's own model."""
        return self.path.parent / self.id

    def asked(
        self, variants: tuple[str, ...], batches: tuple[int, ...]
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The variants and batch sizes that a wish for these (empty: the defaults) leads to."""
        return (OWN,) if self.is_given else variants or ("nq",), batches or self.batches or (1,)


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
        _batches(variants.table(OWN)) if OWN in variants.data else (),
    )


def _batches(fields: Fields) -> tuple[int, ...]:
    values = fields.get("batches", list)
    if not values or not all(type(value) is int and value > 0 for value in values):
        raise InferometerError(f"{fields.path}: field {fields.prefix}batches must be a list of counts")
    return tuple(values)

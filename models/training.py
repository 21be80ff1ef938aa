"""Training of the small models whose weights are bundled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from models import builders, weights
from models.card import Card
from models.errors import ExportError


def train(card: Card, seed: int, out: Path) -> dict[str, Any]:
    """Write the trained state dict; returns its SHA-256 (for the card) and the held-out accuracy."""
    builder = builders.module_of(card)
    if not hasattr(builder, "train"):
        raise ExportError(f"{card.path}: builder: {card.builder!r} cannot be trained here")
    model, accuracy = builder.train(card, seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as stream:  # given a path, torch writes the file's name into it
        torch.save(model.state_dict(), stream)
    return {"weights": str(out), "sha256": weights.sha256(out), "accuracy": accuracy}

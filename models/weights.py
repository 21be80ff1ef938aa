"""Weights into a model: from a file whose SHA-256 the card knows, or seeded random ones, said so."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import torch

from models import builders
from models.card import Card
from models.errors import ExportError

PACKAGE = Path(__file__).parent
CALIBRATION_BATCH = 8


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def load(
    card: Card, file: Path | None, missing: str | None, seed: int
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The model in eval mode, and what the manifest says about its weights.

    ``file`` holds a state dict; a bundled card's own file is used where none is given. ``missing`` is
    the reason why a pretrained card has no file: then the weights are random.
    """
    if file is None and card.weights["kind"] == "bundled":
        file = PACKAGE / card.weights["file"]
    if file is None and (missing is None or card.weights["kind"] == "yours"):
        source = card.weights.get("url") or card.weights["file"]
        raise ExportError(
            f"{card.path}: weights: give --weights FILE (from {source}) or --weights-missing REASON"
        )
    if file is None:
        return random(card, seed), {
            "kind": "random",
            "seed": seed,
            "url": card.weights.get("url"),
            "sha256": None,
            "reason": missing,
        }
    model = build(card)
    digest = restore(model, file, card)
    kind = card.weights["kind"]
    trained = kind == "bundled"
    return model.eval(), {
        "kind": "trained" if trained else kind,
        "seed": card.weights["seed"] if trained else None,
        "url": card.weights.get("url"),
        "sha256": digest,
        "reason": None,
    }


def build(card: Card) -> torch.nn.Module:
    """The card's model as its builder initialises it."""
    return builders.module_of(card).build(card.builder.partition(":")[2], card.classes)


def restore(model: torch.nn.Module, file: Path, card: Card) -> str:
    """Load a state dict into the model and return its SHA-256; ExportError when it is another's."""
    try:
        digest = sha256(file)
    except OSError as error:
        raise ExportError(f"{file}: cannot read the weights: {error.strerror}") from error
    if digest != card.weights["sha256"]:
        raise ExportError(
            f"{file}: SHA-256 is {digest}, weights.sha256 of {card.path} says {card.weights['sha256']}"
        )
    given = state_dict(file)
    wrong = misfits({name: value.shape for name, value in model.state_dict().items()}, given)
    if wrong:
        raise ExportError(f"{file}: does not fit builder {card.builder!r} of {card.path}: {wrong}")
    model.load_state_dict(given)
    return digest


def state_dict(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name; ExportError for what is none, and for code that wants to be run."""
    try:
        given = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ExportError(
            f"{file}: holds more than weights, or none; save model.state_dict() with torch.save"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ExportError(f"{file}: cannot be read as weights: {error}") from error
    if not isinstance(given, dict) or not all(isinstance(value, torch.Tensor) for value in given.values()):
        inside = [name for name in given if isinstance(given[name], dict)] if isinstance(given, dict) else []
        hint = f"; save what it has as {inside[0]!r} alone" if inside else ""
        raise ExportError(f"{file}: is no dict of tensors by name{hint}")
    return given


def misfits(wanted: dict[str, torch.Size], given: dict[str, torch.Tensor]) -> str:
    """Which names are missing, unexpected or of another shape; empty where the weights fit."""
    shapes = [
        f"{name} {list(given[name].shape)} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in given and given[name].shape != shape
    ]
    found = {
        "missing": [name for name in wanted if name not in given],
        "unexpected": [name for name in given if name not in wanted],
        "of another shape": shapes,
    }
    return "; ".join(f"{kind}: {_brief(names)}" for kind, names in found.items() if names)


def _brief(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def random(card: Card, seed: int) -> torch.nn.Module:
    """The builder's own initialisation under a seed, with calibrated batch normalisation.

    With the default statistics (mean 0, variance 1) activations vanish in depthwise networks and grow
    in residual ones; statistics of a few synthetic images keep every layer near unit variance, so that
    the logits are finite, differ, and are no near-tie.
    """
    torch.manual_seed(seed)
    model = build(card)
    images, _ = builders.module_of(card).inputs(card, CALIBRATION_BATCH, seed + 1)
    normalisers = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in normalisers:
        module.momentum = None  # a plain average over the batches seen
    with torch.no_grad():
        model.train()(torch.from_numpy(images[0]))
    return model.eval()

"""Weights into a model: from a file whose SHA-256 the card knows, or seeded random ones, said so."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models import builders, state_dict
from models.card import Card
from models.errors import ExportError
from models.pipeline.request import Request

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
    if file is None and card.weights["kind"] == "none":
        missing = card.weights["reason"]
    if file is None and missing is None:
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
    name = card.builder.partition(":")[2]
    try:
        return builders.module_of(card).build(name, card.classes, card.shape, **card.options)
    except ExportError as error:
        raise ExportError(f"{card.path}: {error}") from error


def untrained(request: Request) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A network to be trained, with pretrained weights in all that fits where there are some.

    And what the manifest says of its origin. Raises ExportError for another file than the card's.
    """
    origin = {"kind": "trained", "seed": request.seed, "url": None, "sha256": None, "reason": None}
    model, start = build(request.card), request.card.weights["start"]
    if start is None:
        return model, origin
    if request.weights is None:
        return model, {**origin, "reason": f"from scratch: {request.weights_missing or 'no --weights'}"}
    digest = check(request.weights, start["sha256"], request.card)
    own = model.state_dict()
    given = torch.load(request.weights, map_location="cpu", weights_only=True)
    fitting = {name: value for name, value in given.items() if own[name].shape == value.shape}
    model.load_state_dict(own | fitting)
    return model, {**origin, "url": start["url"], "sha256": digest}


def published(request: Request) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The network as it was published for the very data of this id, and the origin of its weights.

    Raises ExportError where the file is not at hand: nobody wants it trained anew unasked.
    """
    card, start = request.card, request.card.weights["start"]
    if request.weights is None:
        raise ExportError(f"{card.id}: {request.weights_missing or 'give --weights FILE'} ({start['url']})")
    model = build(card)
    digest = restore(model, request.weights, replace(card, weights=start))
    origin = {"kind": "pretrained", "seed": None, "url": start["url"], "sha256": digest, "reason": None}
    return model, origin


def start_digest(request: Request) -> str | None:
    """What a trained network begins with: the SHA-256 of pretrained weights, or None."""
    start = request.card.weights.get("start")
    return start["sha256"] if start and request.weights else None


def check(file: Path, expected: str, card: Card) -> str:
    """The SHA-256 of a state dict's file; ExportError when it is not the expected one."""
    try:
        digest = sha256(file)
    except OSError as error:
        raise ExportError(f"{file}: cannot read the weights: {error.strerror}") from error
    if digest != expected:
        raise ExportError(f"{file}: SHA-256 is {digest}, weights.sha256 of {card.path} says {expected}")
    return digest


def restore(model: torch.nn.Module, file: Path, card: Card) -> str:
    """Load a state dict into the model and return its SHA-256; ExportError when it is another's."""
    digest = check(file, card.weights["sha256"], card)
    given = state_dict.load(file)
    wrong = state_dict.misfits({name: value.shape for name, value in model.state_dict().items()}, given)
    if wrong:
        raise ExportError(f"{file}: does not fit builder {card.builder!r} of {card.path}: {wrong}")
    model.load_state_dict(given)
    return digest


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

"""The cards' networks for the digits, small enough for a test, with statistics as after some training."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from models import card as cards
from models import weights
from models.datasets import card as data_cards

MODELS = Path(cards.__file__).parent
IDS = sorted(path.stem for path in MODELS.glob("*.toml"))
DIGITS = data_cards.read(MODELS / "data/digits.toml")


@cache
def card(name: str) -> cards.Card:
    """The card as it stands."""
    return cards.read(MODELS / f"{name}.toml")


def instance(name: str, scale: str | None = "smoke") -> cards.Card:
    """The card for the digits."""
    return cards.derive(card(name), DIGITS, scale)


def lively(of: cards.Card) -> torch.nn.Module:
    """The network in eval mode: every layer's outputs are near unit variance, so that logits differ."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = weights.build(of)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        model.train()(torch.randn(32, *of.shape))
    return model.eval()

"""One module a family of models; a card's ``builder = "module:Name"`` selects from it.

A builder module has ``build(name, classes, shape, **options)``, which gives an untrained
``torch.nn.Module`` from images ``[N, C, H, W]`` of ``shape`` ``(C, H, W)`` to logits ``[N, classes]``;
``options`` are the card's. For a name, an option or a shape it does not have it raises an ExportError that
begins with the card's field. What it builds goes through every exporter and through structured pruning.

One whose models come with weights of their own, or with none to be had, has ``inputs(card, batch, seed)``,
which gives the stored inputs (float32, ``[K, batch, C, H, W]``) and their labels (``[K, batch]``) or None,
and ``calibration(card, batch)``, further inputs of that shape from the training set or None. A builder of
networks for small images needs neither: those come from the data they are trained on.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from models.card import Card
from models.errors import ExportError


def module_of(card: Card) -> ModuleType:
    """The builder module a card names; ExportError where there is none."""
    name = f"models.builders.{card.builder.partition(':')[0]}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ExportError(f"{card.path}: builder: there is no {name.replace('.', '/')}.py") from error

"""Magnitude pruning: the smallest weights become 0 while the network is trained further.

Zhu and Gupta, "To prune, or not to prune" (2017, arXiv:1710.01878): sparsity rises by a cubic, and the
training meanwhile makes up for what is lost. A file gets smaller only where it is compressed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils import prune

from models.counts import counts
from models.errors import ExportError
from models.schedule import polynomial
from models.task import Task

KIND = "module"
DEFAULTS: dict[str, Any] = {
    "sparsity": 0.7,  # the share of the weights of convolutions and matrices that become 0
    "scope": "global",  # the smallest of the whole network; or layer: the smallest of each layer
    "rising": 0.6,  # the share of the training in which sparsity rises; then the zeros stay
    "epochs": 20,
    "rate": 0.003,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.05,
}
SMOKE: dict[str, Any] = {"epochs": 5}
STEP = 0.005  # of sparsity: a smaller rise waits


def apply(
    model: torch.nn.Module, task: Task, settings: dict[str, Any], report: Callable[..., None]
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A pruned copy in eval mode, and how sparse it is."""
    if not 0 < settings["sparsity"] < 1:
        raise ExportError(f"prn.sparsity: must be between 0 and 1, not {settings['sparsity']!r}")
    if settings["scope"] not in ("global", "layer"):
        raise ExportError(f"prn.scope: must be global or layer, not {settings['scope']!r}")
    pruned = copy.deepcopy(model)
    masks = Masks(pruned, settings["scope"])

    def after_step(progress: float) -> None:
        masks.rise(polynomial(0.0, settings["sparsity"], progress / settings["rising"]), settings["sparsity"])

    history = task.trainer.fit(
        pruned,
        task,
        name="prn",
        **{name: settings[name] for name in ("epochs", "rate", "batch", "optimizer", "weight_decay")},
        after_step=after_step,
        identity=settings,
    )
    masks.rise(settings["sparsity"], settings["sparsity"])  # where a budget ended the training early
    layers = masks.remove()
    facts = {
        "sparsity": share_of_zeros(layers.values()),
        "layers": {name: share_of_zeros([layer]) for name, layer in layers.items()},
        "nonzero_parameters": counts(pruned, task.card.shape)["nonzero_parameters"],
        **history.facts(),
    }
    return pruned.eval(), facts


class Masks:
    """The masks of torch.nn.utils.prune on every convolution and matrix of a model."""

    def __init__(self, model: torch.nn.Module, scope: str) -> None:
        self.layers = {name: layer for name, layer in model.named_modules() if is_pruned(layer)}
        self.scope = scope
        for layer in self.layers.values():
            prune.identity(layer, "weight")

    def rise(self, sparsity: float, final: float) -> None:
        """Mask anew when that much more is to be 0; what masks say is in the model, and so in checkpoints."""
        reached = self.sparsity()
        if sparsity - reached >= STEP or sparsity >= final - 1e-6 > reached:
            self.set(sparsity)

    def sparsity(self) -> float:
        """The share of weights that is masked."""
        masks = [layer.weight_mask for layer in self.layers.values()]
        kept = torch.stack([mask.sum() for mask in masks]).sum()
        return 1 - float(kept) / sum(mask.numel() for mask in masks)

    def set(self, sparsity: float) -> None:
        """Mask the smallest weights."""
        layers = list(self.layers.values())
        method = prune.L1Unstructured(sparsity)
        groups = [layers] if self.scope == "global" else [[layer] for layer in layers]
        for group in groups:
            weights = torch.cat([layer.weight_orig.detach().flatten() for layer in group])
            mask = method.compute_mask(weights, torch.ones_like(weights))
            parts = mask.split([layer.weight_orig.numel() for layer in group])
            for layer, part in zip(group, parts, strict=True):
                layer.weight_mask.copy_(part.view_as(layer.weight_mask))

    def remove(self) -> dict[str, torch.nn.Module]:
        """The layers with plain weights again, the masked ones 0."""
        for layer in self.layers.values():
            prune.remove(layer, "weight")
        return self.layers


def is_pruned(layer: torch.nn.Module) -> bool:
    """Matrices and convolutions, but no depthwise ones: the paper too leaves those alone (section 4.2).

    They hold few of a network's weights, and a filter of nine that loses seven filters nothing.
    """
    if isinstance(layer, torch.nn.Conv2d):
        return layer.groups == 1
    return isinstance(layer, torch.nn.Linear)


def share_of_zeros(layers: Any) -> float:
    """Of the weights of these layers."""
    weights = [layer.weight for layer in layers]
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    return round(zeros / sum(weight.numel() for weight in weights), 6)

"""Weight clustering: each layer's weights take a few values only, which compress well.

Han, Mao, Dally, "Deep Compression" (2016, arXiv:1510.00149): k-means of each tensor, then training of the
shared values. Batch normalisation is folded first, because folding at export would multiply each filter's
values by another factor and so undo the clusters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.utils import parametrize

from models import clusters
from models.errors import ExportError
from models.folding import fold
from models.task import Task

KIND = "module"
DEFAULTS: dict[str, Any] = {
    "clusters": 16,  # values of each tensor
    "epochs": 5,  # of training of the shared values and the biases
    "rate": 0.0005,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.0,
}
SMOKE: dict[str, Any] = {"epochs": 2}


def apply(
    model: torch.nn.Module, task: Task, settings: dict[str, Any], report: Callable[..., None]
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A copy in eval mode with folded normalisation and clustered weights, and how few values it has."""
    if settings["clusters"] < 2:
        raise ExportError(f"wcl.clusters: must be at least 2, not {settings['clusters']!r}")
    clustered, left = fold(model)
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    layers = {name: layer for name, layer in clustered.named_modules() if isinstance(layer, kinds)}
    before = {name: unique(layer) for name, layer in layers.items()}
    for layer in layers.values():
        share(layer, settings["clusters"])
    history = task.trainer.fit(
        clustered,
        task,
        name="wcl",
        **{name: settings[name] for name in ("epochs", "rate", "batch", "optimizer", "weight_decay")},
        identity=settings,
    )
    for layer in layers.values():
        unshare(layer)
    after = {name: unique(layer) for name, layer in layers.items()}
    facts = {
        "unique_weights": {name: [before[name], after[name]] for name in layers},
        "unique_before": sum(before.values()),
        "unique_after": sum(after.values()),
        "reduction": round(sum(before.values()) / sum(after.values()), 2),
        "not_folded": left,
        **history.facts(),
    }
    return clustered.eval(), facts


class Shared(torch.nn.Module):
    """A weight tensor as centres and the index of each weight's centre; index -1 is an exact 0."""

    def __init__(self, indices: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("indices", indices)

    def forward(self, centres: torch.Tensor) -> torch.Tensor:
        """The weights, of the shape of the indices."""
        known = centres.index_select(0, self.indices.clamp(min=0).flatten()).view(self.indices.shape)
        return known * (self.indices >= 0)


def share(layer: torch.nn.Module, count: int) -> None:
    """Replace the layer's weight by shared values. Zeros of a pruned layer stay 0 and are one of them."""
    weight = layer.weight.detach().numpy()
    kept = weight != 0
    pruned = not kept.all()
    centres, indices = clusters.cluster(weight[kept], count - 1 if pruned else count)
    places = np.full(weight.shape, -1, dtype=np.int64)
    places[kept] = indices
    parametrize.register_parametrization(layer, "weight", Shared(torch.from_numpy(places)), unsafe=True)
    layer.parametrizations.weight.original = torch.nn.Parameter(torch.from_numpy(centres))


def unshare(layer: torch.nn.Module) -> None:
    """A plain weight again, of the shared values."""
    weight = layer.weight.detach().clone(memory_format=torch.contiguous_format)
    parametrize.remove_parametrizations(layer, "weight")
    # What is left there shares its storage in a way that exporters stumble over.
    layer.weight = torch.nn.Parameter(weight)


def unique(layer: torch.nn.Module) -> int:
    """The number of different weights of a layer."""
    return len(torch.unique(layer.weight.detach()))

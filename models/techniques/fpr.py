"""Filter pruning: whole channels are removed, so that the network really is smaller and faster.

Torch-Pruning finds which channels of which layers belong together (Fang et al., "DepGraph", 2023,
arXiv:2301.12900); the groups of least weight go, and the rest is trained further.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch_pruning

from models.counts import counts
from models.errors import ExportError
from models.task import Task

KIND = "module"
DEFAULTS: dict[str, Any] = {
    "macs": 0.5,  # the share of multiply-accumulates that may be left
    "round_to": 8,  # channels left are a multiple of this, where that leaves a choice
    "scope": "layer",  # the same share of each layer's channels; or global: the least of the whole network
    "epochs": 20,
    "rate": 0.005,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.05,
}
SMOKE: dict[str, Any] = {"macs": 0.65, "round_to": 4, "epochs": 5}  # layers of 16 channels
RATIOS = [step / 20 for step in range(1, 19)]  # of channels removed, tried in turn


def apply(
    model: torch.nn.Module, task: Task, settings: dict[str, Any], report: Callable[..., None]
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A copy with fewer channels in eval mode, and its size before and after."""
    if not 0 < settings["macs"] < 1:
        raise ExportError(f"fpr.macs: must be between 0 and 1, not {settings['macs']!r}")
    if settings["scope"] not in ("layer", "global"):
        raise ExportError(f"fpr.scope: must be layer or global, not {settings['scope']!r}")
    shape = task.card.shape
    before = size(model, shape)
    smaller, ratio, round_to = shrink(model, shape, task.card.classes, settings)
    after = size(smaller, shape)
    history = task.trainer.fit(
        smaller,
        task,
        name="fpr",
        **{name: settings[name] for name in ("epochs", "rate", "batch", "optimizer", "weight_decay")},
        identity=settings,
    )
    facts = {
        "before": before,
        "after": after,
        "macs_ratio": round(after["macs"] / before["macs"], 4),
        "ratio": ratio,
        "round_to": round_to,
        "channels": {name: layer.out_channels for name, layer in convolutions(smaller)},
        **history.facts(),
    }
    return smaller.eval(), facts


def size(model: torch.nn.Module, shape: tuple[int, int, int]) -> dict[str, int]:
    """Multiply-accumulates of one input and parameters."""
    counted = counts(model, shape)
    return {"macs": counted["macs"], "parameters": counted["parameters"]}


def shrink(
    model: torch.nn.Module, shape: tuple[int, int, int], classes: int, settings: dict[str, Any]
) -> tuple[torch.nn.Module, float, int]:
    """The copy that loses the fewest channels for the cost that is wanted; its ratio and rounding.

    Networks whose layers are no wider than ``round_to`` are rounded to a half, a quarter ... of it.
    """
    limit = settings["macs"] * size(model, shape)["macs"]
    round_to = settings["round_to"]
    while round_to >= 1:
        for ratio in RATIOS:
            smaller = pruned(model, shape, classes, ratio, round_to, settings["scope"] == "global")
            if size(smaller, shape)["macs"] <= limit:
                return smaller, ratio, round_to
        round_to //= 2
    raise ExportError(f"fpr.macs: {settings['macs']} cannot be reached by removing channels of this network")


def pruned(
    model: torch.nn.Module,
    shape: tuple[int, int, int],
    classes: int,
    ratio: float,
    round_to: int,
    everywhere: bool,
) -> torch.nn.Module:
    """A copy without ``ratio`` of its channels; the layer that gives the classes keeps all."""
    smaller = copy.deepcopy(model).eval()
    pruner = torch_pruning.pruner.BasePruner(
        smaller,
        torch.zeros(1, *shape),
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=ratio,
        max_pruning_ratio=0.9,
        global_pruning=everywhere,
        round_to=round_to,
        ignored_layers=[head(smaller, classes)],
        # The library's defaults are dictionaries that all its pruners would share.
        in_channel_groups={},
        out_channel_groups={},
    )
    pruner.step()
    smaller.zero_grad(set_to_none=True)
    return smaller


def head(model: torch.nn.Module, classes: int) -> torch.nn.Module:
    """The last layer that has as many outputs as there are classes."""
    sizes = {"out_features": torch.nn.Linear, "out_channels": torch.nn.Conv2d}
    found = [
        module
        for module in model.modules()
        for name, kind in sizes.items()
        if isinstance(module, kind) and getattr(module, name) == classes
    ]
    if not found:
        raise ExportError(f"fpr: the network has no layer with {classes} outputs")
    return found[-1]


def convolutions(model: torch.nn.Module) -> list[tuple[str, torch.nn.Conv2d]]:
    """By name."""
    return [pair for pair in model.named_modules() if isinstance(pair[1], torch.nn.Conv2d)]

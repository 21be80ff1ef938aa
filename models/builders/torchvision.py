"""Any image classifier of torchvision, by its name there; a further one needs a card and nothing else."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import torch

from models.builders.synthetic import calibration, inputs
from models.errors import ExportError

__all__ = ["build", "calibration", "inputs", "library"]


def library() -> ModuleType:
    """torchvision.models, also where only a torchvision built for another torch (CUDA) is installed."""
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    # Its compiled operators did not load; no classifier uses them, but the import wants their names.
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    global _operators
    _operators = torch.library.Library("torchvision", "DEF")
    _operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision.models")


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> torch.nn.Module:
    """The model as torchvision initialises it; ExportError for a name or a shape it does not have."""
    models = library()
    if name not in models.list_models(module=models):
        raise ExportError(f"builder: torchvision has no image classifier {name!r}")
    for option in options:
        raise ExportError(f"options.{option}: torchvision:{name} has no such option")
    if shape[0] != 3:
        raise ExportError(f"input.shape: torchvision:{name} takes 3 channels, not {shape[0]}")
    return models.get_model(name, weights=None, num_classes=classes)

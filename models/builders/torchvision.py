"""Any image classifier of torchvision, by its name there; a further one needs a card and nothing else."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import numpy as np
import torch

from models.card import Card
from models.errors import ExportError

WAVES = 24
HIGHEST_FREQUENCY = 8.0  # waves over the image's side


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
    """The model as torchvision initialises it; ExportError for a name it does not have."""
    models = library()
    if name not in models.list_models(module=models):
        raise ExportError(f"builder torchvision: there is no image classifier {name!r}")
    return models.get_model(name, weights=None, num_classes=classes, **options)


def inputs(card: Card, batch: int, seed: int) -> tuple[np.ndarray, None]:
    """One tensor of smooth synthetic images, preprocessed as the card says; no labels."""
    generator = np.random.default_rng(seed)
    images = np.stack([synthetic(generator, *card.shape) for _ in range(batch)])
    mean, std = (np.array(card.input[name])[:, None, None] for name in ("mean", "std"))
    return ((images - mean) / std).astype(np.float32)[None], None


def calibration(card: Card, batch: int) -> None:
    """None: scales found on synthetic images would be no scales of photographs."""


def synthetic(generator: np.random.Generator, channels: int, height: int, width: int) -> np.ndarray:
    """``[C, H, W]`` from 0 to 1: random plane waves, the slow ones strong as in photographs."""
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    image = np.zeros((channels, height, width))
    for _ in range(WAVES):
        frequency = generator.uniform(0.5, HIGHEST_FREQUENCY)
        angle = generator.uniform(0, np.pi)
        phase = generator.uniform(0, 2 * np.pi, size=(channels, 1, 1)) * 0.2 + generator.uniform(0, 2 * np.pi)
        wave = 2 * np.pi * frequency * (np.cos(angle) * x + np.sin(angle) * y)
        image += np.sin(wave + phase) / frequency
    low, high = image.min(), image.max()
    return (image - low) / (high - low)

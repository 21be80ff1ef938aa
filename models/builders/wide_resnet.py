"""Wide residual networks for small images: Zagoruyko and Komodakis, 2016, arXiv:1605.07146, table 1."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.builders.construction import construct, initialise
from models.builders.synthetic import calibration, inputs

__all__ = ["build", "calibration", "inputs"]

STEM_WIDTH = 16


class Block(nn.Module):
    """Normalise, rectify, convolve, twice; where the shape changes, the shortcut is a convolution too."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        changes = stride != 1 or inputs != outputs
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if changes else None

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``[N, inputs, H, W]`` to ``[N, outputs, H / stride, W / stride]``."""
        active = torch.relu(self.norm1(features))
        residual = self.conv2(torch.relu(self.norm2(self.conv1(active))))
        return residual + (features if self.shortcut is None else self.shortcut(active))


class WideResNet(nn.Module):
    """A stem, three groups of blocks 16, 32 and 64 times ``widen`` channels wide, one linear layer."""

    def __init__(self, classes: int, shape: tuple[int, int, int], depth: int = 28, widen: int = 10) -> None:
        """``depth`` counts convolutions: 4 and a multiple of 6."""
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"depth must be 10, 16, 22, 28, ..., not {depth}")
        super().__init__()
        self.stem = nn.Conv2d(shape[0], STEM_WIDTH, 3, padding=1, bias=False)
        blocks = []
        width = STEM_WIDTH
        for group, outputs in enumerate((16 * widen, 32 * widen, 64 * widen)):
            for index in range((depth - 4) // 6):
                blocks.append(Block(width, outputs, stride=2 if group and not index else 1))
                width = outputs
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` of images ``[N, C, H, W]``."""
        features = torch.relu(self.norm(self.blocks(self.stem(image))))
        return self.classifier(torch.flatten(self.pool(features), 1))


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; options ``depth`` and ``widen``. Raises ExportError."""
    return construct("wide_resnet", {"WideResNet": WideResNet}, name, classes, shape, options)

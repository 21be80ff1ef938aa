"""VGG for small images: the convolutions of Simonyan and Zisserman (2014, arXiv:1409.1556, table 1, D).

Each is batch-normalised and one linear layer replaces the three, as is usual for 32-pixel images, which
the five poolings bring down to one pixel. Smaller images are pooled only while there is something to pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from models.builders.construction import construct, initialise

POOL = "M"
VGG16 = (64, 64, POOL, 128, 128, POOL, 256, 256, 256, POOL, 512, 512, 512, POOL, 512, 512, 512, POOL)


class CifarVgg(nn.Module):
    """3x3 convolutions that keep the size, with poolings that halve it between them."""

    def __init__(
        self, classes: int, shape: tuple[int, int, int], layers: Sequence[int | str] = VGG16
    ) -> None:
        """``layers``: the width of each convolution, and "M" for each pooling."""
        super().__init__()
        width, side = shape[0], min(shape[1:])
        features: list[nn.Module] = []
        for layer in layers:
            if layer == POOL:
                if side >= 2:
                    features.append(nn.MaxPool2d(2))
                    side //= 2
                continue
            features += [
                nn.Conv2d(width, int(layer), 3, padding=1, bias=False),
                nn.BatchNorm2d(int(layer)),
                nn.ReLU(inplace=True),
            ]
            width = int(layer)
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` of images ``[N, C, H, W]``."""
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; option ``layers``. Raises ExportError."""
    return construct("cifar_vgg", {"Vgg16": CifarVgg}, name, classes, shape, options)

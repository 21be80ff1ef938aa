"""MobileNet v2 for small images: torchvision's inverted residuals behind a stem that keeps the size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from models.builders.construction import construct, initialise
from models.builders.torchvision import library

InvertedResidual = library().mobilenetv2.InvertedResidual

# Expansion, width, repeats, stride: Sandler et al., 2018, arXiv:1801.04381, table 2. The stem and the
# second stage do not stride: a 32-pixel image has no pixels to lose before there are features.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class CifarMobileNetV2(nn.Module):
    """A 3x3 convolution, stages of inverted residuals, a 1x1 convolution, one linear layer."""

    def __init__(
        self,
        classes: int,
        shape: tuple[int, int, int],
        stem: int = 32,
        stages: Sequence[Sequence[int]] = STAGES,
        head: int = 1280,
    ) -> None:
        """``stem`` and ``head``: channels of the first and the last convolution."""
        super().__init__()
        layers = convolution(shape[0], stem, 3)
        width = stem
        for expansion, outputs, repeats, stride in stages:
            for index in range(repeats):
                layers.append(InvertedResidual(width, outputs, 1 if index else stride, expansion))
                width = outputs
        self.features = nn.Sequential(*layers, *convolution(width, head, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(head, classes)
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` of images ``[N, C, H, W]``."""
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


def convolution(inputs: int, outputs: int, side: int) -> list[nn.Module]:
    """A convolution that keeps the size, normalised and rectified up to 6."""
    return [
        nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    ]


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; options ``stem``, ``stages`` and ``head``. Raises ExportError."""
    networks = {"MobileNetV2": CifarMobileNetV2}
    return construct("cifar_mobilenet_v2", networks, name, classes, shape, options)

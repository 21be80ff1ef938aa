"""MobileNet v1: Howard et al., 2017, arXiv:1704.04861, table 1; torchvision has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from models.builders.construction import construct, initialise
from models.builders.synthetic import calibration, inputs

__all__ = ["build", "calibration", "inputs"]

STEM = 32
# Width and stride of each depthwise-separable pair.
STAGES = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
# A 32-pixel image has no pixels to lose before there are features: neither stem nor second pair stride.
CIFAR_STAGES = ((64, 1), (128, 1), *STAGES[2:])


class MobileNetV1(nn.Module):
    """A 3x3 convolution, pairs of a depthwise and a pointwise one, one linear layer."""

    def __init__(
        self,
        classes: int,
        shape: tuple[int, int, int],
        stem: int = STEM,
        stages: Sequence[Sequence[int]] = STAGES,
        stem_stride: int = 2,
    ) -> None:
        """``stem``: channels of the first convolution; ``stages``: width and stride of each pair."""
        super().__init__()
        layers = convolution(shape[0], stem, 3, stem_stride)
        width = stem
        for outputs, stride in stages:
            layers += convolution(width, width, 3, stride, groups=width) + convolution(width, outputs, 1, 1)
            width = outputs
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` of images ``[N, C, H, W]``."""
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


def convolution(inputs: int, outputs: int, side: int, stride: int, groups: int = 1) -> list[nn.Module]:
    """A convolution, normalised and rectified up to 6."""
    return [
        nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    ]


def cifar(
    classes: int,
    shape: tuple[int, int, int],
    stem: int = STEM,
    stages: Sequence[Sequence[int]] = CIFAR_STAGES,
) -> nn.Module:
    """The network for small images."""
    return MobileNetV1(classes, shape, stem, stages, stem_stride=1)


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; options ``stem`` and ``stages``. Raises ExportError."""
    networks = {"MobileNetV1": MobileNetV1, "CifarMobileNetV1": cifar}
    return construct("mobilenet_v1", networks, name, classes, shape, options)

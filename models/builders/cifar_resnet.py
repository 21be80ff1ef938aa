"""Residual networks for small images: torchvision's blocks behind a stem that keeps the size.

The 3x3 stem of stride 1 without pooling is how He et al. (2016, arXiv:1512.03385, section 4.2) take
32-pixel images; depths and blocks are those of the ImageNet networks (table 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from models.builders.construction import construct, initialise
from models.builders.torchvision import library

BLOCKS = library().resnet


class CifarResNet(nn.Module):
    """Stages of residual blocks; each but the first halves the side and doubles the width."""

    def __init__(
        self, block: str, classes: int, shape: tuple[int, int, int], blocks: Sequence[int], width: int
    ) -> None:
        """``blocks`` of each stage; ``width``: channels of the first (of a bottleneck: inside)."""
        super().__init__()
        kind = getattr(BLOCKS, block)
        self.stem = nn.Sequential(
            nn.Conv2d(shape[0], width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        stages: list[nn.Module] = []
        inputs = width
        for stage, count in enumerate(blocks):
            planes = width * 2**stage
            for index in range(count):
                stride = 2 if stage and not index else 1
                outputs = planes * kind.expansion
                shortcut = None
                if stride != 1 or inputs != outputs:
                    shortcut = nn.Sequential(
                        nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                    )
                stages.append(kind(inputs, planes, stride, shortcut))
                inputs = outputs
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` of images ``[N, C, H, W]``."""
        return self.classifier(torch.flatten(self.pool(self.stages(self.stem(image))), 1))


def network(block: str, depths: Sequence[int]) -> Any:
    """The maker of one network, whose card may change its depths and width."""

    def make(
        classes: int, shape: tuple[int, int, int], blocks: Sequence[int] = depths, width: int = 64
    ) -> nn.Module:
        return CifarResNet(block, classes, shape, blocks, width)

    return make


NETWORKS = {
    "ResNet34": network("BasicBlock", (3, 4, 6, 3)),
    "ResNet50": network("Bottleneck", (3, 4, 6, 3)),
    "ResNet101": network("Bottleneck", (3, 4, 23, 3)),
}


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; options ``blocks`` (of each stage) and ``width``. Raises ExportError."""
    return construct("cifar_resnet", NETWORKS, name, classes, shape, options)

"""MobileNet v3 for small images: torchvision's network with a stem that keeps the size.

Howard et al., 2019, arXiv:1905.02244, tables 1 and 2. The stem and the first stage that strides do not:
a 32-pixel image has no pixels to lose before there are features.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import nn

from models.builders.construction import construct, initialise
from models.builders.torchvision import library

V3 = library().mobilenetv3
# torchvision averages statistics over some hundred steps (momentum 0.01), which short trainings do not have.
NORM = partial(nn.BatchNorm2d, eps=0.001, momentum=0.1)

# Kernel, expanded width, width, squeeze-and-excite, activation (hard-swish or ReLU), stride.
LARGE = (
    (3, 16, 16, False, "RE", 1),
    (3, 64, 24, False, "RE", 1),
    (3, 72, 24, False, "RE", 1),
    (5, 72, 40, True, "RE", 2),
    (5, 120, 40, True, "RE", 1),
    (5, 120, 40, True, "RE", 1),
    (3, 240, 80, False, "HS", 2),
    (3, 200, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 480, 112, True, "HS", 1),
    (3, 672, 112, True, "HS", 1),
    (5, 672, 160, True, "HS", 2),
    (5, 960, 160, True, "HS", 1),
    (5, 960, 160, True, "HS", 1),
)
SMALL = (
    (3, 16, 16, True, "RE", 1),
    (3, 72, 24, False, "RE", 2),
    (3, 88, 24, False, "RE", 1),
    (5, 96, 40, True, "HS", 2),
    (5, 240, 40, True, "HS", 1),
    (5, 240, 40, True, "HS", 1),
    (5, 120, 48, True, "HS", 1),
    (5, 144, 48, True, "HS", 1),
    (5, 288, 96, True, "HS", 2),
    (5, 576, 96, True, "HS", 1),
    (5, 576, 96, True, "HS", 1),
)


def network(usual: Sequence[Sequence[Any]], usual_head: int) -> Any:
    """The maker of one network, whose card may change its stages and widths."""

    def make(
        classes: int,
        shape: tuple[int, int, int],
        stem: int = 16,
        stages: Sequence[Sequence[Any]] = usual,
        head: int = usual_head,
    ) -> nn.Module:
        width, settings = stem, []
        for kernel, expanded, outputs, squeeze, activation, stride in stages:
            settings.append(
                V3.InvertedResidualConfig(
                    width, kernel, expanded, outputs, squeeze, activation, stride, dilation=1, width_mult=1.0
                )
            )
            width = outputs
        model = V3.MobileNetV3(settings, head, num_classes=classes, norm_layer=NORM)
        model.features[0][0] = nn.Conv2d(shape[0], stem, 3, padding=1, bias=False)
        initialise(model.features[0])
        return model

    return make


NETWORKS = {"MobileNetV3Small": network(SMALL, 1024), "MobileNetV3Large": network(LARGE, 1280)}


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; options ``stem``, ``stages``, ``head`` (hidden layer). Raises ExportError."""
    return construct("cifar_mobilenet_v3", NETWORKS, name, classes, shape, options)

"""Filter pruning: a network with fewer channels, whose cost and accuracy are as promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from digits_task import pretrained, same, silent, task
from torch import nn

from models import techniques
from models.accuracy import accuracy
from models.counts import counts
from models.errors import ExportError
from models.techniques import fpr

SETTINGS: dict[str, Any] = techniques.defaults("fpr", "smoke")


def test_digits_cost_a_third_less_and_lose_no_point(tmp_path: Path) -> None:
    asked, model = task(tmp_path), pretrained()
    before = accuracy(model, asked.test_inputs, asked.test_labels)
    smaller, facts = fpr.apply(model, asked, SETTINGS, silent)
    assert same(model, pretrained())
    assert not smaller.training
    counted = counts(smaller, (1, 8, 8))
    assert counted["macs"] <= 0.7 * counts(model, (1, 8, 8))["macs"]
    assert facts["after"] == {"macs": counted["macs"], "parameters": counted["parameters"]}
    assert facts["before"]["macs"] == 342272
    assert smaller.classifier.out_features == 10
    assert all(channels % facts["round_to"] == 0 for channels in facts["channels"].values())
    assert accuracy(smaller, asked.test_inputs, asked.test_labels) >= before - 0.01


class Residual(nn.Module):
    """What ties channels together: a sum, a depthwise convolution, a head that is a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, padding=1)
        self.deep = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.norm = nn.BatchNorm2d(16)
        self.head = nn.Conv2d(16, 10, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = self.stem(image)
        features = features + torch.relu(self.norm(self.deep(features)))
        return self.head(features).mean((2, 3))


def test_channels_that_belong_together_go_together() -> None:
    smaller, _, round_to = fpr.shrink(Residual().eval(), (1, 8, 8), 10, {**SETTINGS, "round_to": 8})
    assert (smaller.stem.out_channels, smaller.deep.groups, smaller.head.in_channels) == (8, 8, 8)
    assert (round_to, smaller.head.out_channels) == (8, 10)
    assert smaller(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_rounding_gets_finer_where_layers_are_narrow() -> None:
    network = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Flatten(), nn.Linear(6 * 36, 10))
    smaller, _, round_to = fpr.shrink(network, (1, 8, 8), 10, {**SETTINGS, "round_to": 8, "macs": 0.7})
    assert (round_to, smaller[0].out_channels) == (4, 4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"macs": 1.5}, "fpr.macs: must be between 0 and 1, not 1.5"),
        ({"macs": 0.001, "round_to": 1}, "fpr.macs: 0.001 cannot be reached by removing channels"),
        ({"scope": "all"}, "fpr.scope: must be layer or global, not 'all'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(ExportError, match=told):
        fpr.apply(pretrained(), task(tmp_path), {**SETTINGS, **change}, silent)


def test_a_network_without_a_layer_of_the_classes_is_refused() -> None:
    with pytest.raises(ExportError, match="fpr: the network has no layer with 7 outputs"):
        fpr.head(pretrained(), 7)

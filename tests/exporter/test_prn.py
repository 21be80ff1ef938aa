"""Magnitude pruning: how many weights are 0, which, and what that costs."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from digits_task import pretrained, same, silent, task
from torch import nn

from models import techniques
from models.accuracy import accuracy
from models.budget import Budget
from models.errors import ExportError
from models.exporters import onnx
from models.techniques import prn

SETTINGS: dict[str, Any] = techniques.defaults("prn", "smoke")


def test_digits_lose_no_point_and_the_deflated_file_is_less_than_half(tmp_path: Path) -> None:
    asked, model = task(tmp_path), pretrained()
    before = accuracy(model, asked.test_inputs, asked.test_labels)
    pruned, facts = prn.apply(model, asked, {**SETTINGS, "epochs": 4}, silent)
    assert same(model, pretrained())
    assert not pruned.training
    assert accuracy(pruned, asked.test_inputs, asked.test_labels) >= before - 0.01
    assert facts["sparsity"] == pytest.approx(SETTINGS["sparsity"], abs=0.001)
    weights = [value for name, value in pruned.named_parameters() if value.ndim > 1]
    assert sum(int((value == 0).sum()) for value in weights) / sum(
        value.numel() for value in weights
    ) == pytest.approx(facts["sparsity"], abs=1e-6)
    assert facts["layers"].keys() == {"features.0", "features.3", "features.7", "classifier"}
    assert (facts["epochs"], facts["epochs_done"]) == (4, 4)
    # The masks are gone: a pruned network is a plain one with zeros.
    assert pruned.state_dict().keys() == model.state_dict().keys()
    assert nonzero(pruned) == facts["nonzero_parameters"] < 0.4 * nonzero(model)
    files = [tmp_path / "before.onnx", tmp_path / "after.onnx"]
    for network, path in zip((model, pruned), files, strict=True):
        onnx.export(network, asked.test_inputs[:1], path)
    assert deflated(files[1]) <= 0.5 * deflated(files[0])


def nonzero(model: nn.Module) -> int:
    return sum(int(torch.count_nonzero(parameter)) for parameter in model.parameters())


def deflated(path: Path) -> int:
    return len(zlib.compress(path.read_bytes(), 9))


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_smallest_weights_go(tmp_path: Path, scope: str) -> None:
    asked, model = task(tmp_path, images=64), pretrained()
    pruned, facts = prn.apply(
        model, asked, {**SETTINGS, "epochs": 1, "rate": 1e-9, "scope": scope, "sparsity": 0.5}, silent
    )
    shares = set(facts["layers"].values())
    assert (shares == {0.5}) == (scope == "layer")
    kept = pruned.features[3].weight.abs() > 0
    weights = model.features[3].weight.abs()
    assert weights[kept].min() >= weights[~kept].max() - 1e-6


def test_a_budget_that_ends_early_leaves_no_weight_too_many(tmp_path: Path) -> None:
    asked = task(tmp_path, images=256, budget=Budget(0))
    _, facts = prn.apply(pretrained(), asked, SETTINGS, silent)
    assert facts["epochs_done"] == 0
    assert facts["sparsity"] == pytest.approx(SETTINGS["sparsity"], abs=0.001)


def test_depthwise_convolutions_keep_all_weights() -> None:
    network = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 1), nn.BatchNorm2d(8))
    masks = prn.Masks(network, "global")
    masks.set(0.5)
    assert list(masks.remove()) == ["1"]
    assert int((network[1].weight == 0).sum()) == 16


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sparsity": 1.0}, "prn.sparsity: must be between 0 and 1, not 1.0"),
        ({"scope": "all"}, "prn.scope: must be global or layer, not 'all'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(ExportError, match=told):
        prn.apply(pretrained(), task(tmp_path), {**SETTINGS, **change}, silent)

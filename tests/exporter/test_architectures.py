"""The cards' networks are the published ones, and fit the images and classes that they are asked for."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch_pruning

from models import weights
from models.card import Card
from models.errors import ExportError
from tests.exporter.networks import IDS, card, instance, lively

# torchvision's own figures; Howard et al. 2017 (4.2 million); Zagoruyko and Komodakis 2016 (36.5 million).
PARAMETERS = {
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "mobilenet-v1": 4_231_976,
    "mobilenet-v2": 3_504_872,
    "mobilenet-v3-small": 2_542_856,
    "mobilenet-v3-large": 5_483_032,
    "vgg16": 138_357_544,
    "wide-resnet": 36_479_194,
    "digits-cnn": 11_946,
}
# Published for 32-pixel images and 10 classes, or the ImageNet network's with another head and stem.
SMALL_PARAMETERS = {
    "resnet34": 21_282_122,
    "resnet50": 23_520_842,
    "resnet101": 42_512_970,
    "vgg16": 14_724_042,
    "mobilenet-v1": 3_217_226,
    "mobilenet-v2": 2_236_682,
    "mobilenet-v3-small": 1_528_106,
    "mobilenet-v3-large": 4_214_842,
}


def size(of: Card) -> int:
    """Parameters; nothing is computed, so that nothing need be allocated."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in weights.build(of).parameters())


def test_every_card_has_its_figure() -> None:
    assert sorted(PARAMETERS) == IDS
    assert {name for name in IDS if card(name).small} == set(SMALL_PARAMETERS)


@pytest.mark.parametrize("name", IDS)
def test_parameters_are_the_published_ones(name: str) -> None:
    assert size(card(name)) == PARAMETERS[name]


@pytest.mark.parametrize("name", SMALL_PARAMETERS)
def test_networks_for_small_images_differ_in_stem_and_head_alone(name: str) -> None:
    small = replace(card(name), builder=card(name).small, shape=(3, 32, 32), classes=10)
    assert size(small) == SMALL_PARAMETERS[name]


def test_wide_resnet_16_4_is_the_published_one() -> None:
    of = card("wide-resnet")
    options = {name: of.scales["16-4"][name] for name in ("depth", "widen")}
    assert size(replace(of, options=options)) == 2_748_890  # 2.7 million


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 64, 48)], ids=str)
@pytest.mark.parametrize("name", IDS)
def test_any_small_image_and_any_classes_will_do(name: str, shape: tuple[int, int, int]) -> None:
    # At the smoke scale's widths, but for the networks as they are where shapes alone are computed.
    for of in (instance(name), instance(name, None)):
        with torch.device("meta"):
            model = weights.build(replace(of, shape=shape, classes=19)).eval()
            assert model(torch.zeros(2, *shape)).shape == (2, 19)


@pytest.mark.parametrize("name", IDS)
def test_half_of_the_channels_can_go(name: str) -> None:
    of = instance(name)
    model = lively(of)
    smaller = copy.deepcopy(model)
    head = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
    kept = dict(zip(model.modules(), smaller.modules(), strict=True))[head]
    torch_pruning.pruner.BasePruner(
        smaller,
        torch.zeros(1, *of.shape),
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=0.5,
        ignored_layers=[kept],
        in_channel_groups={},
        out_channel_groups={},
    ).step()
    assert smaller(torch.randn(2, *of.shape)).shape == (2, of.classes)
    count = [sum(parameter.numel() for parameter in one.parameters()) for one in (smaller, model)]
    assert count[0] < 0.5 * count[1]


@pytest.mark.parametrize("name", IDS)
def test_the_smoke_scale_is_small_and_leaves_channels_to_remove(name: str) -> None:
    model = weights.build(instance(name))
    assert sum(parameter.numel() for parameter in model.parameters()) < 100_000
    widths = [module.out_channels for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    assert all(width % 8 == 0 for width in widths)
    assert max(widths) >= 32


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            "resnet34",
            {"builder": "cifar_resnet:ResNet18"},
            "builder: cifar_resnet has no 'ResNet18', only ResNet101,",
        ),
        (
            "resnet34",
            {"builder": "torchvision:resnet35"},
            "builder: torchvision has no image classifier 'resnet35'",
        ),
        ("resnet34", {"builder": "elsewhere:Net"}, "builder: there is no models/builders/elsewhere.py"),
        ("resnet34", {"options": {"width": 8}}, "options.width: torchvision:resnet34 has no such option"),
        ("resnet34", {"shape": (1, 224, 224)}, "input.shape: torchvision:resnet34 takes 3 channels, not 1"),
        (
            "digits-cnn",
            {"options": {"depth": 8}},
            "options.depth: digits:DigitsCnn has no such option, only widths",
        ),
        ("digits-cnn", {"options": {"widths": [8]}}, "options: digits:DigitsCnn cannot be built with"),
        ("wide-resnet", {"options": {"depth": 12}}, "depth must be 10, 16, 22, 28, ..., not 12"),
        (
            "vgg16",
            {"builder": "cifar_vgg:Vgg16", "options": {"layers": ["X"]}},
            "options: cifar_vgg:Vgg16 cannot",
        ),
    ],
)
def test_what_a_builder_does_not_have_is_named(name: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ExportError) as caught:
        weights.build(replace(card(name), **changes))
    assert f"models/{name}.toml: " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)

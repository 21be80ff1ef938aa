"""Every family's network goes through every exporter and computes the same there as in PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models import exporters, folding, verify
from tests.exporter.networks import IDS, instance, lively

# What TensorRT 8.2 has at opset 13, of what an image classifier needs: its own operator list.
TENSORRT_82 = {
    *("Add", "Mul", "Clip", "Relu", "HardSigmoid", "Conv", "BatchNormalization", "Gemm", "Flatten"),
    *("MaxPool", "AveragePool", "GlobalAveragePool", "Constant", "Identity"),
}
# One of each builder.
BUILDERS = (
    "resnet34",
    "resnet50",
    "mobilenet-v1",
    "mobilenet-v2",
    "mobilenet-v3-small",
    "vgg16",
    "wide-resnet",
)


class Together(torch.nn.Module):
    """Many networks side by side: a conversion takes as long for all of them as for two alone."""

    def __init__(self, networks: list[torch.nn.Module]) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(networks)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[networks, classes]`` of one image."""
        return torch.cat([network(image) for network in self.networks])


def images() -> np.ndarray:
    """``[K, 1, C, H, W]``"""
    return np.random.default_rng(0).normal(size=(8, 1, 1, 8, 8)).astype(np.float32)


def outputs_of(model: torch.nn.Module) -> np.ndarray:
    """``[K, 1 or the networks, classes]`` in PyTorch."""
    with torch.no_grad():
        return np.stack([model(torch.from_numpy(image)).numpy() for image in images()])


def check(format_: str, model: torch.nn.Module, folder: Path) -> Path:
    """The exported file agrees with the model."""
    exporter = exporters.module_of(format_)
    path = folder / exporter.FILE
    exporter.export(model, torch.from_numpy(images()[0]), path)
    inputs = images().transpose(exporters.LAYOUTS[exporter.LAYOUT])
    reference = outputs_of(model)
    verify.require(verify.measure(exporter.load(path), inputs, reference, None), reference, path.name)
    return path


@pytest.mark.parametrize("name", IDS)
def test_onnx_computes_the_same_with_old_operators(name: str, tmp_path: Path) -> None:
    path = check("onnx", lively(instance(name)), tmp_path)
    assert {node.op_type for node in onnx.load(path).graph.node} <= TENSORRT_82


@pytest.mark.parametrize("name", IDS)
def test_an_exported_program_computes_the_same(name: str, tmp_path: Path) -> None:
    check("pt2", lively(instance(name)), tmp_path)


def test_tflite_computes_the_same(tmp_path: Path) -> None:
    check("tflite", Together([lively(instance(name)) for name in BUILDERS]).eval(), tmp_path)


@pytest.mark.parametrize("name", IDS)
def test_normalisation_folds_into_the_convolutions_before_it(name: str) -> None:
    model = lively(instance(name))
    folded, left = folding.fold(model)
    np.testing.assert_allclose(outputs_of(folded), outputs_of(model), rtol=1e-3, atol=1e-4)
    # Before a convolution, where WideResNet has most of its own, there is none to fold into.
    assert all("norm" in name_ for name_ in left) if name == "wide-resnet" else not left

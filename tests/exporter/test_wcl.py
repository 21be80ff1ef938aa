"""Weight clustering: few values in the network and in the files that are written from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter
from digits_task import pretrained, same, silent, task
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper
from sklearn.cluster import KMeans
from torch import nn

from models import exporters, techniques
from models.accuracy import accuracy
from models.clusters import cluster
from models.errors import ExportError
from models.folding import fold
from models.techniques import wcl

SETTINGS: dict[str, Any] = techniques.defaults("wcl", "smoke")


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, dict[str, Any], float]:
    """The digits' network, its facts, and how much accuracy it lost."""
    asked, model = task(tmp_path_factory.mktemp("work")), pretrained()
    before = accuracy(model, asked.test_inputs, asked.test_labels)
    made, facts = wcl.apply(model, asked, {**SETTINGS, "epochs": 1}, silent)
    assert same(model, pretrained())
    return made, facts, before - accuracy(made, asked.test_inputs, asked.test_labels)


def test_digits_have_eighty_times_fewer_values_and_lose_no_point(
    clustered: tuple[nn.Module, dict[str, Any], float],
) -> None:
    model, facts, drop = clustered
    assert drop <= 0.01
    assert facts["reduction"] >= 80
    assert facts["not_folded"] == []
    assert not model.training
    for name, (before, after) in facts["unique_weights"].items():
        assert len(torch.unique(model.get_submodule(name).weight)) == after <= 16 < before


def few(values: np.ndarray) -> bool:
    return len(np.unique(values)) <= 16


def test_the_files_hold_these_values_and_no_others(
    clustered: tuple[nn.Module, dict[str, Any], float], tmp_path: Path
) -> None:
    model = clustered[0]
    for format_ in ("onnx", "tflite"):
        exporter = exporters.module_of(format_)
        exporter.export(model, torch.zeros(1, 1, 8, 8), tmp_path / exporter.FILE)
    initialisers = onnx.load(tmp_path / "model.onnx").graph.initializer
    weights = [numpy_helper.to_array(one) for one in initialisers if len(one.dims) > 1]
    assert len(weights) == 4 and all(few(one) for one in weights)
    interpreter = Interpreter(str(tmp_path / "model.tflite"), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    # Constants of more than a hundred float values: kernels and matrices, as the interpreter holds them.
    produced = {index for op in interpreter._get_ops_details() for index in op["outputs"]}
    fed = {one["index"] for one in interpreter.get_input_details()}
    constants = [
        interpreter.get_tensor(one["index"])
        for one in interpreter.get_tensor_details()
        if one["index"] not in produced | fed and one["dtype"] is np.float32 and np.prod(one["shape"]) > 100
    ]
    assert len(constants) == 4 and all(few(one) for one in constants)


def test_pruned_weights_stay_zero(tmp_path: Path) -> None:
    model = pretrained()
    with torch.no_grad():
        model.features[3].weight[:12] = 0
    made, facts = wcl.apply(model, task(tmp_path, images=256), {**SETTINGS, "epochs": 1}, silent)
    assert (made.features[3].weight[:12] == 0).all()
    assert facts["unique_weights"]["features.3"][1] <= 16


class PreActivated(nn.Module):
    """Normalisation before a rectification, after a sum, and after a convolution with two readers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(4)
        self.deep = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.norm2 = nn.BatchNorm2d(4)
        self.norm3 = nn.BatchNorm2d(4)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        first = self.first(image)
        deep = self.norm2(self.deep(torch.relu(self.norm1(first))))
        return self.norm3(first + deep)


def test_folding_computes_the_same_and_tells_what_it_cannot_fold() -> None:
    torch.manual_seed(0)
    network = PreActivated()
    for _ in range(3):
        network(torch.randn(8, 1, 8, 8))
    folded, left = fold(network.eval())
    assert left == ["norm1", "norm3"]
    assert isinstance(folded.norm2, nn.Identity) and folded.deep.bias is not None
    image = torch.randn(4, 1, 8, 8)
    torch.testing.assert_close(folded(image), network(image))


def test_a_network_that_cannot_be_traced_is_refused() -> None:
    class Branching(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image if image.sum() > 0 else -image

    with pytest.raises(ExportError, match="the network's graph cannot be traced"):
        fold(Branching())


@given(
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=200),
    count=st.integers(1, 20),
)
def test_every_value_gets_its_nearest_centre(values: list[float], count: int) -> None:
    given_ = np.array(values, dtype=np.float32)
    centres, indices = cluster(given_, count)
    assert len(centres) <= count and (np.diff(centres) > 0).all()
    distances = np.abs(given_[:, None].astype(np.float64) - centres)
    assert np.allclose(distances[np.arange(len(given_)), indices], distances.min(1), atol=1e-6)


def test_the_clusters_are_those_of_scikit_learn() -> None:
    values = np.random.default_rng(0).normal(size=2000).astype(np.float32)
    centres, _ = cluster(values, 8)
    begin = np.linspace(values.min(), values.max(), 8)[:, None]
    theirs = KMeans(8, init=begin, n_init=1, max_iter=1000, tol=0).fit(values[:, None].astype(np.float64))
    assert np.allclose(np.sort(theirs.cluster_centers_[:, 0]), centres, atol=1e-3)


def test_one_cluster_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="wcl.clusters: must be at least 2, not 1"):
        wcl.apply(pretrained(), task(tmp_path), {**SETTINGS, "clusters": 1}, silent)

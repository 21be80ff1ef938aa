"""Quantization-aware training of the digits network: true int8 in every format, and as good as before."""

import digits_task
import floats
import numpy as np
import onnx
import pytest
import torch

from models.folding import fold
from models.quantization.training import unnormalized
from models.techniques import qat

RIGHT = 359  # held-out digits, of the float network
SETTINGS = {**qat.DEFAULTS, "epochs": 1}


@pytest.fixture(scope="module")
def writers(tmp_path_factory):
    task = digits_task.task(tmp_path_factory.mktemp("work"), images=512)
    return qat.exports(digits_task.pretrained(), task, SETTINGS, digits_task.silent)


@pytest.mark.parametrize("format_", ["pt2", "onnx", "tflite"])
def test_integers_in_the_file_and_the_answers_stay(writers, tmp_path, format_):
    target = tmp_path / "model"
    facts = writers[format_](target)
    assert set(facts["compute"]) == {"int8"}
    assert facts["weight_tensors"] == {"int8": 4}
    assert facts["epochs_done"] == 1
    assert floats.right(target, format_) >= RIGHT - 0.01 * floats.TOTAL
    if format_ == "tflite":
        assert floats.scales(target, "FULLY_CONNECTED") == [1]
    if format_ == "onnx":
        model = onnx.load(target)
        assert [entry.version for entry in model.opset_import] == [13] and model.ir_version <= 8


def test_a_normalisation_that_follows_no_convolution_becomes_one():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.Conv2d(3, 4, 3)).eval()
    model[0].running_mean.uniform_(-1, 1)
    model[0].running_var.uniform_(0.5, 2)
    image = torch.randn(2, 3, 8, 8)
    assert fold(model)[1] == ["0"]
    changed = unnormalized(model)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in changed.modules())
    np.testing.assert_allclose(changed(image).detach(), model(image).detach(), rtol=1e-5, atol=1e-5)

"""Full-integer int8 of the digits network: types, fallback and answers, from the written files."""

import floats
import numpy as np
import onnx
import pytest
import torch
from digits_task import pretrained

from models.errors import ExportError
from models.folding import fold
from models.techniques import fiq

FORMATS = ["onnx", "onnx-s8", "tflite", "pt2"]


def quantized(format_, target, source=None):
    source = source or floats.float_file(format_.partition("-")[0])
    return fiq.convert(format_, source, target, floats.calibration(format_), fiq.DEFAULTS)


@pytest.mark.parametrize("format_", FORMATS)
def test_everything_is_integer_and_the_answers_stay(tmp_path, format_):
    target = tmp_path / "model"
    facts = quantized(format_, target)
    assert set(facts["compute"]) == {"int8"}
    assert facts["float_operators"] == 0 and facts["float_fallback"] == {}
    assert facts["calibration_inputs"] == 100
    if format_ == "tflite":
        assert floats.scales(target, "FULLY_CONNECTED") == [1]  # for Arm NN
        assert floats.scales(target, "CONV_2D") == [24, 32]
    # TensorRT 8 wants float weights with a pair of their own.
    assert facts["weight_tensors"] == {"float32" if format_ == "onnx-s8" else "int8": 4}
    float_right = floats.right(floats.float_file(format_.partition("-")[0]), format_)
    assert floats.right(target, format_) >= float_right - 0.01 * floats.TOTAL


@pytest.mark.parametrize(
    ("format_", "activations", "weights"), [("onnx", "UINT8", "INT8"), ("onnx-s8", "INT8", "INT8")]
)
def test_onnx_types_opset_and_grain(tmp_path, format_, activations, weights):
    target = tmp_path / "model.onnx"
    quantized(format_, target)
    model = onnx.load(target)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 13)]
    assert model.ir_version <= 8
    zeros = {tensor.name: tensor for tensor in model.graph.initializer}
    first = next(
        node for node in model.graph.node if node.op_type == "QuantizeLinear" and "input" in node.input
    )
    assert onnx.TensorProto.DataType.Name(zeros[first.input[2]].data_type) == activations
    grains = [zeros[node.input[1]].dims for node in model.graph.node if node.op_type == "DequantizeLinear"]
    assert sorted(int(dims[0]) for dims in grains if dims and dims[0] > 1)[-4:] == [10, 16, 24, 32] or (
        format_ == "onnx"  # its int32 biases have scales too
    )
    if format_ == "onnx-s8":
        symmetric = [zeros[n.input[2]] for n in model.graph.node if n.op_type == "QuantizeLinear"]
        assert not any(onnx.numpy_helper.to_array(zero).any() for zero in symmetric)
        assert not any(tensor.data_type == onnx.TensorProto.INT32 for tensor in model.graph.initializer)


def test_zeros_stay_zeros_and_clusters_stay_clusters(tmp_path):
    """As after prn and wcl: half of the weights 0, the others of 15 values; the file deflates for it."""
    model = fold(pretrained())[0]
    for layer in model.modules():
        if hasattr(layer, "weight"):
            weight = layer.weight.detach().numpy()
            centres = np.append(np.quantile(weight, np.linspace(0.02, 0.98, 15)), 0)
            nearest = np.abs(weight[..., None] - centres).argmin(-1)
            nearest[np.abs(weight) < np.median(np.abs(weight))] = 15
            layer.weight.data = torch.from_numpy(centres[nearest].astype(np.float32))
    for format_ in ("onnx", "tflite"):
        target, dense = tmp_path / f"few-{format_}", tmp_path / f"dense-{format_}"
        facts = quantized(format_, target, floats.exported(model, format_, tmp_path))
        quantized(format_, dense)
        assert max(facts["int8_values"]) <= 16
        assert 0.5 <= facts["int8_zeros"] / facts["weight_elements"]["int8"] < 0.6
        assert floats.deflated(target) < 0.75 * floats.deflated(dense)


def test_a_pooling_padded_with_minus_infinity_is_calibrated(tmp_path):
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(1, 4, 3), torch.nn.MaxPool2d(3, 2, padding=1), torch.nn.Flatten()
    source = floats.exported(torch.nn.Sequential(*layers).eval(), "tflite", tmp_path)
    quantized("tflite", tmp_path / "int8", source)
    expected, given = floats.outputs(source, "tflite"), floats.outputs(tmp_path / "int8", "tflite")
    assert np.abs(expected - given).max() < 0.05 * np.abs(expected).max()


def test_too_few_inputs_to_calibrate(tmp_path):
    with pytest.raises(ExportError, match="fiq: 0 calibration inputs, and a batch of the file is 1"):
        fiq.convert("tflite", floats.float_file("tflite"), tmp_path / "a", None, fiq.DEFAULTS)

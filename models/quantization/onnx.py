"""ONNX, by ONNX Runtime's own tools. Inputs and outputs stay float32."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from models import opset
from models.arithmetic import clustered
from models.arithmetic.onnx import weights
from models.quantization import batches

# What TensorRT 8 takes: zero points of 0, no int32 biases, and float weights with a pair of their own, which
# it folds when it builds. The file is therefore as large as the float one.
TENSORRT = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "AddQDQPairToWeight": True,
    "DedicatedQDQPair": True,
}


class Reader(CalibrationDataReader):
    """Calibration inputs under the name of the graph's input."""

    def __init__(self, name: str, calibration: np.ndarray | None, batch: int) -> None:
        self.rest = ({name: inputs} for inputs in batches(calibration, batch))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, or None after the last."""
        return next(self.rest, None)


def static(
    source: Path, target: Path, calibration: np.ndarray | None, for_tensorrt: bool, reduce_range: bool
) -> None:
    """Q/DQ pairs; weights int8 with a scale per channel (clustered ones: per tensor); activations uint8, or
    int8 for TensorRT.

    ``reduce_range``: weights of 7 bits, for processors. x86 kernels without VNNI add pairs of products in 16
    bits, which saturate with 8.
    """
    logging.getLogger("onnxruntime").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Shapes are static, and symbolic inference wants sympy for nothing.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        value = onnx.load(prepared, load_external_data=False).graph.input[0]
        quantize_static(
            prepared,
            target,
            Reader(value.name, calibration, value.type.tensor_type.shape.dim[0].dim_value),
            quant_format=QuantFormat.QDQ,
            per_channel=not clustered(weights(onnx.load(source).graph)),
            reduce_range=reduce_range and not for_tensorrt,
            activation_type=QuantType.QInt8 if for_tensorrt else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options=TENSORRT if for_tensorrt else {},
            calibration_cache_path=ranges_of(source, calibration),
        )
    save(onnx.load(target), target)


def ranges_of(source: Path, calibration: np.ndarray | None) -> Path:
    """Where ranges found on these inputs are kept, beside the float file: both kinds of int8 need them."""
    digest = hashlib.sha256(source.read_bytes())
    digest.update(b"" if calibration is None else np.ascontiguousarray(calibration))
    return source.with_name(f"{source.stem}-ranges-{digest.hexdigest()[:16]}.json")


def half(source: Path, target: Path) -> None:
    """Everything fp16 but the graph's input and output."""
    halved = ONNXModel(convert_float_to_float16(onnx.load(source), keep_io_types=True))
    halved.topological_sort()  # the tool appends its casts at the end
    save(halved.model, target)


def save(model: Any, target: Path) -> None:
    """Write what is opset 13; ExportError otherwise."""
    onnx.save(opset.lower(model, target.name), target)

"""ONNX, opset 13 in one file with a static batch: what TensorRT 8.2 still reads.

The TorchScript exporter is used while torch has it: the newer one silently writes opset 18 when asked
for 13. What was written is therefore read back and checked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from models import opset

LAYOUT = "NCHW"
FILE = "model.onnx"
PACKAGES = ("onnx", "onnxruntime")
INT8 = onnx.TensorProto.INT8


def export(model: torch.nn.Module, sample: torch.Tensor, path: Path) -> dict[str, Any]:
    """Write the file; ExportError when it is not what was asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (sample,),
            str(path),
            dynamo=False,
            opset_version=opset.OPSET,
            input_names=["input"],
            output_names=["logits"],
        )
    written = onnx.load(path)
    opset.require(written, path.name)
    return {"opset": opset.OPSET, "ir": written.ir_version}


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file in ONNX Runtime on one thread of the processor.

    One with symmetric int8 activations is TensorRT's and computed operator by operator, as it is written:
    fused kernels for such activations saturate on x86 without VNNI.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if has_signed_activations(path):
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def has_signed_activations(path: Path) -> bool:
    """Whether the graph's input is quantized to int8."""
    graph = onnx.load(path).graph
    zeros = {tensor.name: tensor.data_type for tensor in graph.initializer}
    first = {value.name for value in graph.input}
    return any(
        node.op_type == "QuantizeLinear" and node.input[0] in first and zeros.get(node.input[2]) == INT8
        for node in graph.node
        if len(node.input) > 2
    )

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

from models.errors import ExportError

LAYOUT = "NCHW"
FILE = "model.onnx"
PACKAGES = ("onnx", "onnxruntime")
OPSET = 13
HIGHEST_IR = 8


def export(model: torch.nn.Module, sample: torch.Tensor, path: Path) -> dict[str, Any]:
    """Write the file; ExportError when it is not what was asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (sample,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["input"],
            output_names=["logits"],
        )
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    opsets = {entry.domain or "ai.onnx": entry.version for entry in written.opset_import}
    if opsets != {"ai.onnx": OPSET} or written.ir_version > HIGHEST_IR:
        raise ExportError(
            f"{path.name}: torch {torch.__version__} wrote opsets {opsets} and IR {written.ir_version}, "
            f"not opset {OPSET} and IR <= {HIGHEST_IR}"
        )
    return {"opset": OPSET, "ir": written.ir_version}


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file in ONNX Runtime on one thread of the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]

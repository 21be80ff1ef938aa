"""Full-integer quantization after training: weights and activations int8, ranges from calibration inputs.

TFLite: int8, a scale per channel for weights (ai-edge-quantizer). ONNX: Q/DQ with uint8 activations for
processors, symmetric int8 for TensorRT (ONNX Runtime's tools). PyTorch: uint8 activations (torchao's PT2E).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

KIND = "file"
DEFAULTS: dict[str, Any] = {
    "reduce_range": True,  # onnx: 7-bit weights, pt2: 7-bit activations; x86 without VNNI needs it
}
FORMATS = ("onnx", "onnx-s8", "tflite", "pt2")


def convert(
    format_: str, source: Path, target: Path, calibration: np.ndarray, settings: dict[str, Any]
) -> dict[str, Any]:
    """Write ``target`` from the float file; facts as models/arithmetic says. Raises ExportError."""
    if format_ == "tflite":
        from models.arithmetic import tflite as arithmetic
        from models.quantization import tflite

        tflite.static(source, target, calibration)
    elif format_ == "pt2":
        from models.arithmetic import pt2 as arithmetic
        from models.quantization import pt2

        pt2.static(source, target, calibration, settings["reduce_range"])
    else:
        from models.arithmetic import onnx as arithmetic
        from models.quantization import onnx

        onnx.static(source, target, calibration, format_ == "onnx-s8", settings["reduce_range"])
    return {**arithmetic.facts(target), "calibration_inputs": len(calibration)}

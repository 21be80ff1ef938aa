"""Half precision: fp16 weights. What a file is computed in depends on its format, and the facts say it.

TFLite dequantizes the weights and computes in float32, unless a delegate does better. ONNX and PyTorch files
are fp16 graphs; a runtime without fp16 kernels for the processor inserts casts and computes in float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

KIND = "file"
DEFAULTS: dict[str, Any] = {}
FORMATS = ("onnx", "tflite", "pt2")


def convert(
    format_: str, source: Path, target: Path, calibration: np.ndarray | None, settings: dict[str, Any]
) -> dict[str, Any]:
    """Write ``target`` from the float file; facts as models/arithmetic says."""
    if format_ == "tflite":
        from models.arithmetic import tflite as arithmetic
        from models.quantization import tflite as conversion
    elif format_ == "pt2":
        from models.arithmetic import pt2 as arithmetic
        from models.quantization import pt2 as conversion
    else:
        from models.arithmetic import onnx as arithmetic
        from models.quantization import onnx as conversion

    conversion.half(source, target)
    return arithmetic.facts(target)

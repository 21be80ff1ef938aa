"""Dynamic-range quantization: int8 weights; activations are float32 in the file.

A runtime with hybrid kernels quantizes activations on the way and multiplies integers; which operators have
such kernels is its own matter, and placement tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ExportError

KIND = "file"
DEFAULTS: dict[str, Any] = {}
FORMATS = ("tflite",)
LEFT_OUT = {
    "onnx": "ONNX Runtime computes dynamically quantized convolutions 3 to 10 times slower than float ones",
    "pt2": "PyTorch quantizes linear layers dynamically, but no convolutions",
}


def convert(
    format_: str, source: Path, target: Path, calibration: np.ndarray | None, settings: dict[str, Any]
) -> dict[str, Any]:
    """Write ``target`` from the float file; facts as models/arithmetic says. Raises ExportError."""
    if format_ not in FORMATS:
        raise ExportError(f"blq: {format_}: {LEFT_OUT.get(format_, 'is no format of it')}")
    from models.arithmetic import tflite as arithmetic
    from models.quantization import tflite

    tflite.dynamic(source, target)
    return arithmetic.facts(target)

"""TFLite with float input and output in NHWC, written by LiteRT Torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter

LAYOUT = "NHWC"
FILE = "model.tflite"
PACKAGES = ("litert-torch", "litert-converter", "ai-edge-litert")


def export(model: torch.nn.Module, sample: torch.Tensor, path: Path) -> dict[str, Any]:
    """Write the file; the transposition of the input is folded into the first convolution."""
    # The wrapper is a module of its own and begins in training mode, whatever the model's.
    channels_last = litert_torch.to_channel_last_io(model, args=[0]).eval()
    nhwc = sample.permute(0, 2, 3, 1).contiguous()
    litert_torch.convert(channels_last, (nhwc,)).export(str(path))
    return {}


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file in LiteRT with its default XNNPACK delegate."""
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, image)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return run

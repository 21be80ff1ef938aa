"""PyTorch's own deployable format: an exported program with a static batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

LAYOUT = "NCHW"
FILE = "model.pt2"
PACKAGES = ()


def export(model: torch.nn.Module, sample: torch.Tensor, path: Path) -> dict[str, Any]:
    """Write the program with its example input, which ahead-of-time compilation needs later."""
    # A view would take the whole storage behind it into the file.
    program = torch.export.export(model, (sample.clone(),))
    for module in program.graph_module.modules():
        for node in getattr(module, "graph", program.graph).nodes:
            # The paths of the exporting machine: useless elsewhere, and no two machines' files would agree.
            node.meta.pop("stack_trace", None)
    torch.export.save(program, path)
    return {}


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file in eager PyTorch."""
    import torch.ao.quantization.fx._decomposed  # registers the operators of quantized programs

    module = torch.export.load(path).module()

    def run(image: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(image)).numpy()

    return run

"""How large a network is, apart from any file of it."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode


def counts(model: torch.nn.Module, shape: tuple[int, int, int]) -> dict[str, Any]:
    """``parameters``, those that are not zero, and multiply-accumulates of one input.

    ``torch.utils.flop_counter`` counts convolutions and matrix products alone, two operations for each
    multiply-accumulate: what zeros and activations cost is not told.
    """
    parameters = list(model.parameters())
    counter = FlopCounterMode(display=False)
    # Some modules keep what they computed last; the network itself stays as it is.
    with counter, torch.no_grad():
        copy.deepcopy(model).eval()(torch.zeros(1, *shape))
    return {
        "parameters": sum(parameter.numel() for parameter in parameters),
        "nonzero_parameters": sum(int(torch.count_nonzero(parameter)) for parameter in parameters),
        "macs": counter.get_total_flops() // 2,
    }

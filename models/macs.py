"""How large a network is and how much one input costs."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode


def macs(model: torch.nn.Module, shape: tuple[int, int, int]) -> int:
    """Multiply-accumulates of the convolutions and matrix products for one input ``[C, H, W]``."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, *shape))
    return counter.get_total_flops() // 2


def parameters(model: torch.nn.Module) -> int:
    """The number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())


def nonzero_parameters(model: torch.nn.Module) -> int:
    """The number of those that are not 0."""
    return sum(int(torch.count_nonzero(parameter)) for parameter in model.parameters())

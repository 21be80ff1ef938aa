"""What changes over a training, as functions of how much of it is done: 0 at the start, 1 at the end."""

from __future__ import annotations

import math

WARMING = 0.3  # the share of a training in which the rate rises
LOW = 1 / 25  # the rate at the start
LOWEST = 1e-4 / 25  # and at the end


def one_cycle(progress: float) -> float:
    """The learning rate as a share of its peak: up along a cosine, then down (Smith, Topin 2018).

    The constants are those of ``torch.optim.lr_scheduler.OneCycleLR``, which cannot be told in the middle
    of a training that fewer steps will follow than was thought.
    """
    if progress < WARMING:
        return cosine(LOW, 1.0, progress / WARMING)
    return cosine(1.0, LOWEST, (progress - WARMING) / (1 - WARMING))


def cosine(first: float, last: float, progress: float) -> float:
    """From ``first`` to ``last`` along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


def polynomial(first: float, last: float, progress: float) -> float:
    """Sparsity that rises fast at first and slowly at last, by a cubic (Zhu, Gupta 2017, equation 1)."""
    return last + (first - last) * (1 - min(1.0, progress)) ** 3

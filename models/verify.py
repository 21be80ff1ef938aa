"""What a file computes in its own runtime, against the outputs of the PyTorch source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.errors import ExportError

# Kernels of different runtimes sum in different orders: on ResNet50 that costs about 1e-5 of the
# largest logit. A wrong layout, a missing eval() or lost weights cost far more than this.
RELATIVE_TOLERANCE = 1e-3
# Where two classes are as likely as makes no difference, rounding decides: one input of so many may.
INPUTS_PER_TIE = 1000


@dataclass(frozen=True)
class Agreement:
    """Of ``total`` inputs ``top1_equal`` have the reference's class; differences in units of logits."""

    difference: float  # largest absolute difference of any logit
    top1_equal: int
    total: int
    correct: int | None  # top-1 of the file itself, where labels are known


def margin(reference: np.ndarray) -> float:
    """How far apart the two highest logits are, at least: a near-tie would make top-1 a coin toss."""
    second, first = np.moveaxis(np.partition(reference, -2)[..., -2:], -1, 0)
    return float((first - second).min())


def measure(
    run: Callable[[np.ndarray], np.ndarray],
    inputs: np.ndarray,
    reference: np.ndarray,
    labels: np.ndarray | None,
) -> Agreement:
    """``inputs`` [K, B, ...] in the file's layout, ``reference`` [K, B, classes], ``labels`` [K, B]."""
    outputs = np.stack([np.asarray(run(np.ascontiguousarray(image))) for image in inputs])
    if outputs.shape != reference.shape:
        raise ExportError(f"outputs have shape {outputs.shape[1:]}, PyTorch gives {reference.shape[1:]}")
    if not np.isfinite(outputs).all():
        raise ExportError("the file gives outputs that are not finite")
    chosen = outputs.argmax(-1)
    return Agreement(
        difference=float(np.abs(outputs.astype(np.float64) - reference).max()),
        top1_equal=int((chosen == reference.argmax(-1)).sum()),
        total=chosen.size,
        correct=None if labels is None else int((chosen == labels).sum()),
    )


def require(agreement: Agreement, reference: np.ndarray, file: str) -> None:
    """ExportError unless top-1 is equal and the difference is what summation order explains."""
    limit = RELATIVE_TOLERANCE * float(np.abs(reference).max())
    least = agreement.total - agreement.total // INPUTS_PER_TIE
    if agreement.top1_equal < least or not agreement.difference <= limit:
        raise ExportError(
            f"{file}: disagrees with PyTorch: top-1 equal for {agreement.top1_equal} of {agreement.total} "
            f"inputs, largest difference {agreement.difference:.3g} (limit {limit:.3g})"
        )

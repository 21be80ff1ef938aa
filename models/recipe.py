"""How one training goes, and what is told about it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from models.errors import ExportError

OPTIMIZERS = ("adamw", "sgd")
Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """The usual loss; ``inputs`` is there for losses that ask another model about them."""
    return torch.nn.functional.cross_entropy(logits, labels)


@dataclass(frozen=True)
class Recipe:
    """The keywords of ``Trainer.fit``, which explains them."""

    name: str
    epochs: int
    rate: float
    batch: int = 64
    optimizer: str = "adamw"
    weight_decay: float = 0.05
    loss: Loss = cross_entropy
    after_step: Callable[[float], None] | None = None
    identity: Any = None

    def told(self) -> list[Any]:
        """What decides the result, as plain JSON; of the two functions ``identity`` tells."""
        plain = [self.name, self.epochs, self.rate, self.batch, self.optimizer, self.weight_decay]
        return [*plain, self.identity]

    def optimizer_of(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """AdamW, or SGD with Nesterov momentum 0.9; kernels and matrices alone decay, no bias, no norm."""
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        groups = [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
        ]
        if self.optimizer == "adamw":
            return torch.optim.AdamW(groups, lr=self.rate, fused=True)
        if self.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=self.rate, momentum=0.9, nesterov=True, fused=True)
        wanted = ", ".join(OPTIMIZERS)
        raise ExportError(f"training {self.name}: optimizer: must be one of {wanted}, not {self.optimizer!r}")


@dataclass
class History:
    """What a training did. ``accuracies`` are of the training batches, as each epoch went over them."""

    epochs: int  # asked for
    device: str  # the GPU's name, or cpu
    threads: int
    epochs_done: float = 0  # fewer where the budget ended; a part of one where that one was too long
    seconds: float = 0.0  # over all interruptions
    losses: list[float] = field(default_factory=list)  # mean of each epoch
    accuracies: list[float] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """For the manifest, without the courses of loss and accuracy."""
        told = {name: getattr(self, name) for name in ("epochs", "epochs_done", "device", "threads")}
        return {**told, "training_s": round(self.seconds, 3)}

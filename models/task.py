"""What a technique is given beside the model: the data, how to train, and whom to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from models.batches import Inputs
from models.card import Card
from models.trainer import Trainer


@dataclass(frozen=True)
class Task:
    """Inputs are preprocessed float32 ``[N, C, H, W]``, labels int64 ``[N]``.

    ``train_inputs`` may be a lazily loading ``torch.utils.data.Dataset`` of ``[C, H, W]`` instead. No
    technique looks at the test split to decide anything; it is for what is reported.
    """

    card: Card  # of the instance
    train_inputs: Inputs
    train_labels: torch.Tensor
    test_inputs: Inputs
    test_labels: torch.Tensor
    trainer: Trainer
    seed: int
    teacher: Callable[[], torch.nn.Module] | None = None  # trained, in eval mode
    teacher_id: str | None = None
    augment: str = "none"  # of the data card: a name of models/augment.py

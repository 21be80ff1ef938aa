"""Training of an instance from its builder's initialisation: the nq that all techniques start from."""

from __future__ import annotations

from typing import Any

import torch

from models import weights
from models.recipe import History
from models.task import Task

DEFAULTS: dict[str, Any] = {
    "epochs": 200,
    "rate": 0.01,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.05,
}
SMOKE: dict[str, Any] = {"epochs": 12}


def train(task: Task, settings: dict[str, Any]) -> tuple[torch.nn.Module, History]:
    """The card's network trained on the task's data, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        model = weights.build(task.card)
    history = task.trainer.fit(model, task, name="nq", **settings)
    return model, history

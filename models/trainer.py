"""Training: seeded, resumable after any epoch, on a GPU where there is one, within a budget of time.

Two trainings of the same model on one machine give the same bytes, interrupted ones too: everything
random in an epoch comes from the seed and the epoch's number.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from models import accuracy, augment, batches, checkpoint
from models.budget import Budget
from models.fit import Fit
from models.recipe import History, Loss, Recipe, cross_entropy

if TYPE_CHECKING:
    from models.task import Task


class Trainer:
    """Fits models; ``work`` keeps their checkpoints, ``report(type, **fields)`` takes progress.

    ``threads`` of the CPU: another number of them sums in another order and gives other bytes.
    """

    def __init__(
        self, work: Path, report: Callable[..., None], budget: Budget | None = None, threads: int = 1
    ) -> None:
        self.work = work
        self.report = report
        self.budget = budget or Budget()
        self.threads = threads

    def fit(
        self,
        model: torch.nn.Module,
        task: Task,
        *,
        name: str,
        epochs: int,
        rate: float,
        batch: int = 64,
        optimizer: str = "adamw",
        weight_decay: float = 0.05,
        loss: Loss = cross_entropy,
        after_step: Callable[[float], None] | None = None,
        identity: Any = None,
    ) -> History:
        """Train ``model`` in place and leave it on the CPU in eval mode.

        ``rate`` is the peak of one cycle; ``optimizer`` is adamw or sgd. ``loss(logits, labels, inputs)``
        gives a scalar. ``after_step(progress)`` is called after each update with the share of the training
        that is done, 0 to 1. ``identity`` (plain JSON) is whatever else decides the result, such as
        settings of ``loss`` and ``after_step``: a checkpoint of another identity is not used. Raises
        ExportError when the loss is no longer finite.
        """
        recipe = Recipe(name, epochs, rate, batch, optimizer, weight_decay, loss, after_step, identity)
        augment.require(task.augment, str(task.card.path))
        device = accuracy.device()
        history = History(epochs, device_name(device), self.threads)
        path = self.work / f"{name}-{self.key(model, task, recipe, history)}.pt"
        with reproducible(self.threads, device):
            # Convolutions, depthwise ones above all, are faster on channels-last tensors.
            model.to(device, memory_format=torch.channels_last)
            fit = Fit(model, task, recipe, history, path, self.budget, self.report)
            history = fit.run()
        model.to("cpu", memory_format=torch.contiguous_format).eval()
        return history

    def key(self, model: torch.nn.Module, task: Task, recipe: Recipe, history: History) -> str:
        """Of everything a training's result follows from."""
        content = [checkpoint.digest(model), batches.digest(task.train_inputs)]
        content += [batches.digest(task.train_labels), task.augment, task.seed]
        told = [*recipe.told(), *content, history.device, self.threads, torch.__version__]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def device_name(device: torch.device) -> str:
    """For the manifest: the GPU's name, or cpu."""
    return torch.cuda.get_device_name() if device.type == "cuda" else "cpu"


@contextmanager
def reproducible(threads: int, device: torch.device) -> Iterator[None]:
    """Inside, the same operations give the same bytes; what was set before is set again."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS wants it for that
        torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])

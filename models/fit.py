"""One training under way: its epochs, its checkpoint, its progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from models import augment, batches, checkpoint
from models.budget import Budget, affordable
from models.errors import ExportError
from models.recipe import History, Recipe
from models.schedule import one_cycle

if TYPE_CHECKING:
    from models.task import Task

PROGRESS_S = 10.0  # between two lines of progress inside an epoch
STREAMS = 1_000_003  # seeds of two trainings do not meet before that many epochs


class Fit:
    """``model`` is on its device; ``history`` grows; ``path`` is the checkpoint's, by its key."""

    def __init__(
        self,
        model: torch.nn.Module,
        task: Task,
        recipe: Recipe,
        history: History,
        path: Path,
        budget: Budget,
        report: Callable[..., None],
    ) -> None:
        self.model, self.task, self.recipe, self.history = model, task, recipe, history
        self.budget, self.report = budget, report
        self.device = next(model.parameters()).device
        self.optimizer = recipe.optimizer_of(model)
        self.planned: float = recipe.epochs  # fewer when the budget turns out not to last
        self.path = path
        # What a budget cut short is not what another budget, or none, would have made.
        self.short_path = path.with_stem(f"{path.stem}-{budget.seconds}")
        self.told_at = -math.inf

    def run(self) -> History:
        """All epochs that no checkpoint holds."""
        deadline = self.budget.deadline()
        finished = self.restore()
        inputs = batches.resident(self.task.train_inputs, self.device)
        began, before, first = time.monotonic(), self.history.seconds, self.history.epochs_done
        done = int(first)
        while not finished:
            epoch_began = self.budget.clock()
            # Until one epoch has told how long they take, the deadline may fall inside one.
            limit = deadline if done == first else math.inf
            part = self.epoch(inputs, done, limit)
            self.history.epochs_done = done + part
            self.history.seconds = before + time.monotonic() - began
            if part < 1:
                self.planned = self.history.epochs_done
            else:
                done += 1
                left = deadline - self.budget.clock()
                self.planned = affordable(done, self.planned, self.budget.clock() - epoch_began, left)
                epoch_s = (time.monotonic() - began) / (done - first)
                self.progress(self.history.losses[-1], self.history.accuracies[-1], done, epoch_s)
            finished = self.history.epochs_done >= self.planned
            self.store(finished)
        return self.history

    def epoch(self, inputs: batches.Inputs, number: int, deadline: float) -> float:
        """Train one epoch; the share of it that was done before the deadline, 1.0 for all."""
        generator = torch.Generator().manual_seed(self.task.seed * STREAMS + number)
        torch.manual_seed(self.task.seed * STREAMS + number)  # of dropout
        order = batches.plan(len(self.task.train_labels), self.recipe.batch, generator)
        sums = torch.zeros(2, device=self.device)  # of the losses and of the shares of right answers
        began = time.monotonic()
        self.model.train()
        for index, images in enumerate(batches.load(inputs, order, self.device)):
            if self.budget.clock() >= deadline:
                return round(index / len(order), 3)
            labels = self.task.train_labels[order[index]].to(self.device)
            rate = self.recipe.rate * one_cycle((number + index / len(order)) / self.planned)
            value, share = self.step(augment.apply(self.task.augment, images, generator), labels, rate)
            done = number + (index + 1) / len(order)
            if self.recipe.after_step is not None:
                self.recipe.after_step(done / self.planned)
            sums += torch.stack([value, share])
            if time.monotonic() - max(began, self.told_at) > PROGRESS_S:
                mean_loss, mean_share = (sums / (index + 1)).tolist()
                self.progress(mean_loss, mean_share, done, (time.monotonic() - began) / (done - number))
        mean_loss, mean_share = (sums / len(order)).tolist()
        if not math.isfinite(mean_loss):
            raise ExportError(
                f"training {self.recipe.name}: the loss is {mean_loss} in epoch {number + 1}: "
                f"try a rate below {self.recipe.rate}"
            )
        self.history.losses.append(mean_loss)
        self.history.accuracies.append(mean_share)
        return 1.0

    def step(
        self, images: torch.Tensor, labels: torch.Tensor, rate: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One update; the batch's loss and its share of right answers."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        logits = self.model(images.contiguous(memory_format=torch.channels_last))
        value = self.recipe.loss(logits, labels, images)
        self.optimizer.zero_grad()
        value.backward()
        self.optimizer.step()
        return value.detach(), (logits.detach().argmax(1) == labels).float().mean()

    def restore(self) -> bool:
        """Go back to the last checkpoint; True when nothing is left to do."""
        state = checkpoint.read(self.short_path) or checkpoint.read(self.path)
        if state is None:
            return self.planned <= 0
        self.model.load_state_dict(state["model"])
        self.history = History(**state["history"])
        self.planned = state["planned"]
        if not state["finished"]:
            self.optimizer.load_state_dict(state["optimizer"])
        return state["finished"]

    def store(self, finished: bool) -> None:
        """Replace the checkpoint; the optimizer's part, the larger one, is kept only while it is needed."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": None if finished else self.optimizer.state_dict(),
            "history": asdict(self.history),
            "planned": self.planned,
            "finished": finished,
        }
        checkpoint.write(self.short_path if self.planned < self.recipe.epochs else self.path, state)

    def progress(self, loss: float, accuracy: float, done: float, epoch_s: float) -> None:
        """One line: how far, how well on the training batches, and how long the rest takes at this pace."""
        self.told_at = time.monotonic()
        self.report(
            "train",
            name=self.recipe.name,
            epoch=round(done, 2),
            epochs=self.planned,
            loss=round(loss, 4),
            accuracy=round(accuracy, 4),
            left_s=round((self.planned - done) * epoch_s, 1),
        )

"""Knowledge distillation: the student learns from a teacher's logits and the labels together.

Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network" (2015, arXiv:1503.02531).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from models import checkpoint, weights
from models.accuracy import accuracy
from models.errors import ExportError
from models.task import Task

KIND = "module"
DEFAULTS: dict[str, Any] = {
    "temperature": 4.0,
    "alpha": 0.5,  # the teacher's share of the loss; the labels have the rest
    "start": "scratch",  # untrained, where no technique changed the network before; or given: as it is
    "epochs": 200,
    "rate": 0.01,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.05,
}
SMOKE: dict[str, Any] = {"epochs": 12}


def apply(
    model: torch.nn.Module, task: Task, settings: dict[str, Any], report: Callable[..., None]
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A student of the model's architecture in eval mode, and whom it learned from."""
    if task.teacher is None:
        raise ExportError("kd: needs a teacher: name another model")
    if settings["start"] not in ("scratch", "given"):
        raise ExportError(f"kd.start: must be scratch or given, not {settings['start']!r}")
    if settings["temperature"] <= 0:
        raise ExportError(f"kd.temperature: must be above 0, not {settings['temperature']!r}")
    if not 0 <= settings["alpha"] <= 1:
        raise ExportError(f"kd.alpha: must be from 0 to 1, not {settings['alpha']!r}")
    teacher = task.teacher()
    student = untrained(model, task) if settings["start"] == "scratch" else None
    start = "given" if student is None else "scratch"
    student = copy.deepcopy(model) if student is None else student
    history = task.trainer.fit(
        student,
        task,
        name="kd",
        **{name: settings[name] for name in ("epochs", "rate", "batch", "optimizer", "weight_decay")},
        loss=distillation(teacher, settings["temperature"], settings["alpha"]),
        identity=[settings, checkpoint.digest(teacher)],
    )
    facts = {
        "temperature": settings["temperature"],
        "alpha": settings["alpha"],
        "start": start,
        "teacher": task.teacher_id,
        "teacher_accuracy": round(accuracy(teacher, task.test_inputs, task.test_labels), 6),
        **history.facts(),
    }
    return student.eval(), facts


def untrained(model: torch.nn.Module, task: Task) -> torch.nn.Module | None:
    """The card's network as its builder begins it, unless a technique gave ``model`` other shapes."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        fresh = weights.build(task.card)
    shapes = [{name: value.shape for name, value in one.state_dict().items()} for one in (fresh, model)]
    return fresh if shapes[0] == shapes[1] else None


def distillation(
    teacher: torch.nn.Module, temperature: float, alpha: float
) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """The loss: cross-entropy with the labels, and T^2 times the divergence from the soft teacher."""

    def loss(logits: torch.Tensor, labels: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            taught = teacher.to(inputs.device)(inputs)
        soft = functional.kl_div(
            functional.log_softmax(logits / temperature, 1),
            functional.log_softmax(taught / temperature, 1),
            reduction="batchmean",
            log_target=True,
        )
        return alpha * temperature**2 * soft + (1 - alpha) * functional.cross_entropy(logits, labels)

    return loss

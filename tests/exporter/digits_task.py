"""A small network, the bundled digits and a trainer for them, as the techniques are given these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from models import card as cards
from models import weights
from models.budget import Budget
from models.builders import digits
from models.task import Task
from models.trainer import Trainer

CARD = Path(__file__).resolve().parents[2] / "models/digits-cnn.toml"


def silent(type_: str, **fields: Any) -> None:
    """Progress nobody reads."""


@cache
def tensors() -> tuple[torch.Tensor, ...]:
    """Training inputs and labels, test inputs and labels."""
    torch.set_num_threads(1)
    return tuple(torch.from_numpy(part) for part in digits.data(cards.read(CARD)))


def task(
    work: Path,
    report: Callable[..., None] = silent,
    budget: Budget | None = None,
    images: int | None = None,
    **changes: Any,
) -> Task:
    """A task on all the digits, or on the first ``images`` of the training split."""
    inputs, labels, test_inputs, test_labels = tensors()
    trainer = Trainer(work, report, budget)
    made = Task(cards.read(CARD), inputs[:images], labels[:images], test_inputs, test_labels, trainer, 0)
    return replace(made, **changes)


def fresh(seed: int = 0) -> torch.nn.Module:
    """The card's network, untrained."""
    torch.manual_seed(seed)
    return weights.build(cards.read(CARD))


def pretrained() -> torch.nn.Module:
    """The network with its bundled weights: 0.9944 of the held-out digits are right."""
    return weights.load(cards.read(CARD), None, None, 0)[0]


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Bit for bit."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)

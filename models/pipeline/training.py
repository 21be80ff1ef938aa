"""What training takes: the data as a task, one budget for all of it, and a trained teacher."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from models import builders, weights
from models.card import Card, derive, read
from models.errors import ExportError
from models.pipeline.request import Report, Request
from models.pipeline.subject import Subject
from models.variants import BASELINE

if TYPE_CHECKING:
    from models.task import Task
    from models.trainer import Trainer

NO_DATA = "must be trained, and the card has no data for that; name some, as in"


class Stopwatch:
    """Seconds, counted inside ``running()`` alone: what files take is no part of a training's budget."""

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._since: float | None = None

    def __call__(self) -> float:
        """So far."""
        return self._spent_s + (0.0 if self._since is None else time.monotonic() - self._since)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts until the block ends; inside another such block it makes no difference."""
        if self._since is not None:
            yield
            return
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._spent_s, self._since = self(), None


@dataclass
class Training:
    """Of one model id; ``trainer`` is one for all trainings of the command, which share its budget."""

    request: Request
    subject: Subject
    report: Report
    trainer: Trainer | None  # None: a model that is not trained
    watch: Stopwatch  # the budget's clock
    network: Callable[[Request], torch.nn.Module]  # the baseline of another request on the same subject

    @property
    def teacher_id(self) -> str | None:
        """The model id that kd learns from, or None."""
        return teacher_id(self.request)

    def spared(self) -> None:
        """A training that the budget counted on is not needed."""
        if self.trainer:
            self.trainer.budget.fits -= 1

    def baseline(self) -> tuple[torch.nn.Module, dict[str, Any], dict[str, Any] | None]:
        """The network in eval mode, the origin of its weights, and how training went where there was one."""
        if self.request.card.weights["kind"] == "pretrained":
            self.spared()
            return *weights.published(self.request), None
        settings, task = self.request.settings_of(BASELINE), self.task()
        with torch.random.fork_rng():
            torch.manual_seed(self.request.seed)
            model, origin = weights.untrained(self.request)
        history = task.trainer.fit(model, task, name=BASELINE, **settings)
        return model, origin, {"settings": settings, **history.facts()}

    def task(self, with_teacher: bool = False) -> Task:
        """For the trainer and the techniques. Raises ExportError for a model without data."""
        from models.task import Task

        card, split = self.request.card, self.subject.split
        if split is None or self.trainer is None or self.request.data_card is None:
            raise ExportError(f"{card.id}: {NO_DATA} {card.id}@digits")
        if with_teacher and self.teacher_id is None:
            raise ExportError(f'{card.path}: teacher: is missing, and kd needs one; add teacher = "MODEL"')
        return Task(
            card=card,
            train_inputs=torch.from_numpy(split.train_inputs),
            train_labels=torch.from_numpy(split.train_labels),
            test_inputs=torch.from_numpy(split.test_inputs),
            test_labels=torch.from_numpy(split.test_labels),
            trainer=self.trainer,
            seed=self.request.seed,
            teacher=self._teacher if with_teacher else None,
            teacher_id=self.teacher_id if with_teacher else None,
            augment=self.request.data_card.augment,
        )

    def teacher_digest(self) -> str | None:
        """Of all that decides what the teacher is, but the data; None where the card names none."""
        if self.teacher_id is None:
            return None
        card = self._teacher_card()
        settings = replace(self.request, card=card, settings={}).settings_of(BASELINE)
        told = [self.teacher_id, card.builder, card.shape, card.options, settings]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        digest.update(Path(str(builders.module_of(card).__file__)).read_bytes())
        return digest.hexdigest()

    def _teacher_card(self) -> Card:
        assert self.teacher_id and self.request.data_card
        name, _, scale = self.teacher_id.partition("~")
        card = read(teacher_card(self.request, name.partition("@")[0]))
        return derive(card, self.request.data_card, scale or None)

    def _teacher(self) -> torch.nn.Module:
        """The teacher's baseline, trained on the same data with its own settings; in eval mode."""
        # Of the same input table: a data card's. Pretrained weights are the student's, so none are given.
        return self.network(replace(self.request, card=self._teacher_card(), weights=None, settings={}))


def teacher_id(request: Request) -> str | None:
    """``MODEL@DATA[~SCALE]`` of the card's teacher, at the card's scale where the teacher has it."""
    card = request.card
    if card.teacher is None:
        return None
    name, dash, scale = card.teacher.partition("~")
    if not dash and card.scale and card.scale in read(teacher_card(request, name)).scales:
        scale = card.scale
    return f"{name}@{card.data}" + (f"~{scale}" if scale else "")


def teacher_card(request: Request, name: str) -> Any:
    """The teacher's card: beside the student's, or among those of this package."""
    beside = request.card.path.parent / f"{name}.toml"
    return beside if beside.exists() else weights.PACKAGE / f"{name}.toml"


def trainer(request: Request, report: Report, fits: int, watch: Stopwatch) -> Trainer | None:
    """One for ``fits`` trainings within the request's budget, by ``watch``; None for a model without data."""
    if request.data_card is None:
        return None
    from models.budget import Budget
    from models.trainer import Trainer

    return Trainer(request.work / "trainings", report, Budget(request.budget_s, fits, watch))

"""The network before anything is done to it: with the card's own weights, or trained on data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from models import weights
from models.errors import ExportError
from models.pipeline.request import Report, Request
from models.pipeline.subject import Subject

if TYPE_CHECKING:
    from models.pipeline.stages import Stage

DEFAULTS = {"epochs": 30, "rate": 0.05}


def make(request: Request, subject: Subject, report: Report) -> Stage:
    """The baseline in eval mode. Raises ExportError."""
    from models.pipeline.stages import Stage

    report("step", name="weights", edge="start")
    if subject.split is None:
        model, origin = weights.load(request.card, request.weights, request.weights_missing, request.seed)
        report("step", name="weights", edge="end", kind=origin["kind"])
        return Stage(model, origin)
    torch.manual_seed(request.seed)
    model, origin = weights.untrained(request)
    report("step", name="weights", edge="end", kind=origin["kind"])
    settings = request.settings_of("nq", DEFAULTS)
    asked = task(request, subject, report)
    history = asked.trainer.fit(
        model, asked, name=request.card.id, epochs=settings["epochs"], rate=settings["rate"]
    )
    done = asdict(history)
    training = {"settings": settings, **done}
    return Stage(model.eval(), origin, (), training, done["epochs_done"] >= done["epochs"])


def task(request: Request, subject: Subject, report: Report) -> Any:
    """What the trainer and the techniques need. Raises ExportError for a model without data."""
    from models.task import Task
    from models.trainer import Trainer

    split = subject.split
    if split is None:
        raise ExportError(
            f"{request.card.id}: has no data to train on; name some, as in {request.card.id}@digits"
        )
    return Task(
        card=request.card,
        train_inputs=torch.from_numpy(split.train_inputs),
        train_labels=torch.from_numpy(split.train_labels),
        test_inputs=torch.from_numpy(split.test_inputs),
        test_labels=torch.from_numpy(split.test_labels),
        trainer=Trainer(request.work / request.card.id, request.seed, report, request.budget_s),
        seed=request.seed,
        teacher=None,
    )

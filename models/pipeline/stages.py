"""The network of a variant: the baseline, then one technique after another, each kept on disk when done."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from models import builders, techniques, weights
from models.pipeline.request import Report, Request
from models.pipeline.subject import Subject
from models.pipeline.training import Training
from models.variants import BASELINE

if TYPE_CHECKING:
    from models.task import Task

PACKAGE = Path(__file__).parent.parent
# Code that every trained stage depends on beside its builder's and its techniques'.
COMMON = (
    "trainer.py",
    "fit.py",
    "recipe.py",
    "augment.py",
    "schedule.py",
    "batches.py",
    "folding.py",
    "clusters.py",
)


@dataclass(frozen=True)
class Stage:
    """A network in eval mode, and what the manifest says of how it came about."""

    model: torch.nn.Module
    origin: dict[str, Any]  # of its weights
    records: tuple[dict[str, Any], ...] = ()  # of the techniques that were applied
    training: dict[str, Any] | None = None  # of the baseline
    complete: bool = True  # False: a budget ended some training early


@dataclass
class Stages:
    """Makes the stages of one model id; what two variants share is made once."""

    request: Request
    subject: Subject
    training: Training
    report: Report
    _made: dict[tuple[str, ...], Stage] = field(default_factory=dict)

    def get(self, chain: tuple[str, ...]) -> Stage:
        """The network after these techniques, from the left. Raises ExportError."""
        if chain not in self._made:
            self._made[chain] = self._restored(chain) or self._fresh(chain)
        return self._made[chain]

    def settings(self, code: str) -> dict[str, Any]:
        """What a technique is told. Raises ExportError."""
        return self.request.settings_of(code)

    def task(self, code: str) -> Task:
        """What a technique trains with. Raises ExportError for a model without data."""
        return self.training.task(with_teacher=code == "kd")

    def record(self, code: str, facts: dict[str, Any], began: float) -> dict[str, Any]:
        """What the manifest says of one technique; ``began`` by the monotonic clock."""
        return {
            "code": code,
            "settings": self.settings(code),
            "facts": facts,
            "seconds": round(time.monotonic() - began, 3),
            "seed": self.request.seed,
        }

    def _fresh(self, chain: tuple[str, ...]) -> Stage:
        before = self.get(chain[:-1]) if chain else None
        with self.training.watch.running():
            stage = self._applied(before, chain[-1]) if before else self._baseline()
        # Left over from training; an exporter would take along, or choke on, those of replaced parameters.
        stage.model.zero_grad(set_to_none=True)
        if stage.complete and self.request.data_card:
            self._keep(chain, stage)
        return stage

    def _baseline(self) -> Stage:
        self.report("step", name="weights", edge="start")
        if self.request.data_card is None:
            given = self.request
            model, origin = weights.load(given.card, given.weights, given.weights_missing, given.seed)
            training = None
        else:
            model, origin, training = self.training.baseline()
        self.report("step", name="weights", edge="end", kind=origin["kind"])
        return Stage(model.eval(), origin, (), training, _is_complete(training))

    def _applied(self, before: Stage, code: str) -> Stage:
        settings, task = self.settings(code), self.task(code)
        self.report("step", name=code, edge="start")
        began = time.monotonic()
        torch.manual_seed(self.request.seed)
        model, facts = techniques.module_of(code).apply(before.model, task, settings, self.report)
        self.report("step", name=code, edge="end")
        records = (*before.records, self.record(code, facts, began))
        complete = before.complete and _is_complete(facts)
        return Stage(model.eval(), before.origin, records, before.training, complete)

    def _keep(self, chain: tuple[str, ...], stage: Stage) -> None:
        path = self._path(chain)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        # Whole modules: pruned ones have another shape than their builder's.
        torch.save({name: getattr(stage, name) for name in _KEPT}, partial)
        partial.rename(path)

    def _restored(self, chain: tuple[str, ...]) -> Stage | None:
        if not self.request.data_card or not (path := self._path(chain)).exists():
            return None
        # Pickled modules are code: the work folder holds what this program wrote.
        stage = Stage(**torch.load(path, map_location="cpu", weights_only=False))
        self.training.spared()
        self.report("step", name=f"{path.stem} as it was kept", edge="end")
        return stage

    def _path(self, chain: tuple[str, ...]) -> Path:
        """Named by everything the stage depends on."""
        card, modules = self.request.card, [techniques.module_of(code) for code in chain]
        sources = [PACKAGE / name for name in COMMON]
        sources += [Path(str(module.__file__)) for module in (builders.module_of(card), *modules)]
        told = {
            "model": [card.id, card.builder, card.classes, card.shape, card.options, card.weights["kind"]],
            "start": weights.start_digest(self.request),
            "data": self.subject.data,
            "seed": self.request.seed,
            "chain": [[code, self.settings(code)] for code in chain],
            "baseline": self.settings(BASELINE),
            "teacher": self.training.teacher_digest() if "kd" in chain else None,
            "torch": torch.__version__,
            "sources": sorted((path.name, weights.sha256(path)) for path in sources if path.exists()),
        }
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return self.request.work / card.id / f"{'-'.join(chain) or BASELINE}-{digest[:16]}.pt"


def _is_complete(training: dict[str, Any] | None) -> bool:
    """Whether a training, if there was one, made all the epochs that were asked for."""
    return not training or training.get("epochs_done", 0) >= training.get("epochs", 0)


_KEPT = ("model", "origin", "records", "training", "complete")

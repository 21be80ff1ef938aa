"""The network of a variant: the baseline, then one technique after another, each kept on disk when done."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from models import builders, techniques, weights
from models.pipeline import baseline
from models.pipeline.request import Report, Request
from models.pipeline.subject import Subject

PACKAGE = Path(__file__).parent.parent
# What every trained stage depends on beside its own technique.
COMMON = ("trainer.py", "task.py", "pipeline/baseline.py", "pipeline/subject.py")


@dataclass(frozen=True)
class Stage:
    """A network in eval mode, and what the manifest says of how it came about."""

    model: torch.nn.Module
    origin: dict[str, Any]  # of its weights
    records: tuple[dict[str, Any], ...] = ()  # of the techniques that were applied
    training: dict[str, Any] | None = None  # of the baseline
    complete: bool = True  # False: a budget ended training early


@dataclass
class Stages:
    """Makes the stages of one model id; what two variants share is made once."""

    request: Request
    subject: Subject
    report: Report
    _made: dict[tuple[str, ...], Stage] = field(default_factory=dict)

    def get(self, chain: tuple[str, ...]) -> Stage:
        """The network after these techniques, from the left. Raises ExportError."""
        if chain not in self._made:
            self._made[chain] = self._restored(chain) or self._fresh(chain)
        return self._made[chain]

    def settings(self, code: str) -> dict[str, Any]:
        """What a technique is told."""
        return self.request.settings_of(code, techniques.module_of(code).DEFAULTS)

    def task(self) -> Any:
        """What training needs, for the techniques. Raises ExportError for a model without data."""
        return baseline.task(self.request, self.subject, self.report)

    def _fresh(self, chain: tuple[str, ...]) -> Stage:
        if not chain:
            stage = baseline.make(self.request, self.subject, self.report)
        else:
            before, code = self.get(chain[:-1]), chain[-1]
            settings, task = self.settings(code), self.task()
            self.report("step", name=code, edge="start")
            began = time.monotonic()
            torch.manual_seed(self.request.seed)
            model, facts = techniques.module_of(code).apply(before.model, task, settings, self.report)
            seconds = round(time.monotonic() - began, 3)
            self.report("step", name=code, edge="end")
            record = {
                "code": code,
                "settings": settings,
                "facts": facts,
                "seconds": seconds,
                "seed": self.request.seed,
            }
            # Training tells what a budget cut short.
            cut = facts.get("epochs_done", 0) < facts.get("epochs", 0)
            stage = Stage(
                model.eval(),
                before.origin,
                (*before.records, record),
                before.training,
                before.complete and not cut,
            )
        if stage.complete and self.request.data_card:
            self._keep(chain, stage)
        return stage

    def _keep(self, chain: tuple[str, ...], stage: Stage) -> None:
        path = self._path(chain)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        # Whole modules: pruned ones have another shape than their builder's.
        torch.save({name: getattr(stage, name) for name in _KEPT}, partial)
        partial.rename(path)

    def _restored(self, chain: tuple[str, ...]) -> Stage | None:
        path = self._path(chain)
        if not self.request.data_card or not path.exists():
            return None
        # Pickled modules are code: the work folder holds what this program wrote.
        stage = Stage(**torch.load(path, map_location="cpu", weights_only=False))
        self.report("step", name="-".join(chain) or "nq", edge="restored")
        return stage

    def _path(self, chain: tuple[str, ...]) -> Path:
        """Named by everything the stage depends on."""
        card, data_card = self.request.card, self.request.data_card
        sources = {
            builders.module_of(card).__file__,
            *(techniques.module_of(code).__file__ for code in chain),
        }
        files = [PACKAGE / name for name in COMMON] + [Path(str(name)) for name in sources]
        told = {
            "model": [card.id, card.builder, card.classes, card.shape, card.input, card.options],
            "start": weights.start_digest(self.request),
            "data": [data_card and data_card.id, self.subject.data],
            "seed": self.request.seed,
            "chain": [[code, self.settings(code)] for code in chain],
            "baseline": self.request.settings_of("nq", baseline.DEFAULTS),
            "torch": torch.__version__,
            "sources": sorted((path.name, weights.sha256(path)) for path in files if path.exists()),
        }
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return self.request.work / card.id / f"{'-'.join(chain) or 'nq'}-{digest[:16]}.pt"


_KEPT = ("model", "origin", "records", "training", "complete")

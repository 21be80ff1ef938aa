"""What a model is shown: inputs that runners are scored on, to calibrate with, to train on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models import builders
from models.card import Card
from models.errors import ExportError
from models.pipeline.request import Report, Request

if TYPE_CHECKING:
    from models.datasets.source import Source

SYNTHETIC_CALIBRATION = 100  # inputs
CHOICE_SEED = 2022  # of the scored and the calibration inputs: the same ones for every model and seed


@dataclass(frozen=True)
class Split:
    """What to train and to test on; whole splits are prepared when somebody asks for them."""

    train: Source
    test: Source
    card: Card
    path: Path  # of prepared inputs that memory is too small for, without the split's name

    @property
    def train_labels(self) -> np.ndarray:
        """int64 ``[N]``."""
        return self.train.labels

    @property
    def test_labels(self) -> np.ndarray:
        """int64 ``[N]``."""
        return self.test.labels

    @cached_property
    def train_inputs(self) -> np.ndarray:
        """float32 ``[N, C, H, W]``."""
        return self._prepared(self.train, "train")

    @cached_property
    def test_inputs(self) -> np.ndarray:
        """float32 ``[N, C, H, W]``."""
        return self._prepared(self.test, "test")

    def _prepared(self, source: Source, name: str) -> np.ndarray:
        from models.pipeline.prepared import prepared

        return prepared(source, self.card, self.path.with_name(f"{self.path.name}-{name}.npy"))


@dataclass(frozen=True)
class Subject:
    """Stored inputs ``[K, batch, C, H, W]`` float32, their labels ``[K, batch]`` where they are known."""

    images: np.ndarray
    labels: np.ndarray | None
    stored_calibration: np.ndarray | None  # [K, batch, C, H, W]: of the training set, for runtimes
    calibration: Callable[[], np.ndarray]  # [N, C, H, W]; made when it is asked for
    calibration_origin: str  # "training set" or "synthetic"
    split: Split | None  # None: a plain model, which is not trained
    data: dict[str, Any] | None  # for the manifest


def of(request: Request, report: Report) -> Subject:
    """The inputs of a model id. Raises ExportError."""
    return _of_data(request, report) if request.data_card else _of_builder(request)


def _of_builder(request: Request) -> Subject:
    card, batch, seed = request.card, request.batch, request.seed
    builder = builders.module_of(card)
    images, labels = builder.inputs(card, batch, seed)
    stored = builder.calibration(card, batch)

    def calibration() -> np.ndarray:
        if stored is not None:
            return stored.reshape(-1, *card.shape)
        # Of another seed than the stored inputs: what is scored is not calibrated with.
        count = -(-SYNTHETIC_CALIBRATION // batch) * batch
        return builder.inputs(card, count, seed + 2)[0].reshape(-1, *card.shape)

    origin = "synthetic" if stored is None else "training set"
    return Subject(images, labels, stored, calibration, origin, None, None)


def _of_data(request: Request, report: Report) -> Subject:
    from models import datasets, preprocessing

    card, data_card = request.card, request.data_card
    assert data_card is not None
    report("step", name="data", edge="start")
    # Never split by the training's seed: what is compared holds out the same inputs.
    opened = datasets.open_(data_card, request.data)
    sha256 = opened.sha256()
    path = request.work / "data" / f"{data_card.id}-{sha256[:16]}"
    split = Split(opened.train, opened.test, card, path)
    # A folder's images come class by class: the first thousand would be of a few classes.
    scored = _choose(len(split.test_labels), data_card.score, request.batch)
    calibrating = _choose(len(split.train_labels), data_card.calibration, request.batch)
    if not len(scored) or not len(calibrating):
        raise ExportError(f"--batch {request.batch}: {data_card.id} has too few inputs for one batch")
    report("step", name="data", edge="end", train=len(split.train_labels), test=len(split.test_labels))
    images = preprocessing.prepare(opened.test, scored, card.input, card.shape)
    calibration = preprocessing.prepare(opened.train, calibrating, card.input, card.shape)
    return Subject(
        images=images.reshape(-1, request.batch, *card.shape),
        labels=split.test_labels[scored].reshape(-1, request.batch),
        stored_calibration=calibration.reshape(-1, request.batch, *card.shape),
        calibration=lambda: calibration,
        calibration_origin="training set",
        split=split,
        data={
            "id": data_card.id,
            "sha256": sha256,
            "split": opened.split,
            "train": len(split.train_labels),
            "test": len(split.test_labels),
            "scored": len(scored),
            "preprocessing_sha256": preprocessing.digest(card.input, images),
        },
    )


def _choose(available: int, wanted: int, batch: int) -> np.ndarray:
    """Indices of up to ``wanted`` inputs in whole batches, drawn evenly, in rising order."""
    count = min(available, wanted) // batch * batch
    return np.sort(np.random.default_rng(CHOICE_SEED).permutation(available)[:count])

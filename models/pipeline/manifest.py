"""The manifest of one variant's folder, schema 2: everything the files themselves do not tell."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import exporters, weights
from models.counts import counts
from models.pipeline.files import score
from models.pipeline.stages import Stage, Stages
from models.variants import Variant

SCHEMA = 2


def content(
    stages: Stages,
    variant: Variant,
    stage: Stage,
    reference: np.ndarray,
    baseline: np.ndarray,
    artifacts: list[dict[str, Any]],
    began: float,
) -> dict[str, Any]:
    """The manifest without ``files``; ``reference`` and ``baseline`` are outputs ``[K, B, classes]``.

    In it ``accuracy`` is of the variant's float network on all that is held out, ``baseline`` of nq's on the
    stored inputs, on which every file is scored.
    """
    request, subject = stages.request, stages.subject
    records = list(stage.records)
    if variant.last:  # each file's entry has the facts
        records.append(stages.record(variant.last, {}, began))
    return {
        "schema": SCHEMA,
        "model": request.card.id,
        "variant": variant.code,
        "batch": request.batch,
        "family": request.card.family,
        "classes": request.card.classes,
        "weights": stage.origin,
        "key": request.key,
        "exporters": versions(variant),
        "preprocessing": request.card.input,
        "data": subject.data,
        "techniques": records,
        "training": stage.training,
        "accuracy": test_accuracy(stages, stage) or top1(reference, subject.labels),
        "baseline": top1(baseline, subject.labels),
        **counts(stage.model, request.card.shape),
        "reference": "reference.json",
        "labels": None if subject.labels is None else "labels.json",
        "artifacts": artifacts,
    }


def top1(outputs: np.ndarray, labels: np.ndarray | None) -> dict[str, int] | None:
    """How many of the inputs have their label's class; None without labels."""
    correct = None if labels is None else int((outputs.argmax(-1) == labels).sum())
    return score(correct, outputs[..., 0].size)


def test_accuracy(stages: Stages, stage: Stage) -> dict[str, int] | None:
    """Of the float network on the whole test split; on the stored inputs where it came trained on this data.

    None for a model without data.
    """
    subject, card = stages.subject, stages.request.card
    if subject.split is None or subject.labels is None:
        return None
    from models import accuracy

    if card.weights["kind"] == "pretrained":  # such test splits fill disks
        inputs, labels = subject.images.reshape(-1, *card.shape), subject.labels.reshape(-1)
    else:
        inputs, labels = subject.split.test_inputs, subject.split.test_labels
    inputs, labels = torch.from_numpy(inputs), torch.from_numpy(labels)
    return score(accuracy.correct(stage.model, inputs, labels), len(labels))


def versions(variant: Variant) -> dict[str, str]:
    """The versions of the packages that wrote and checked the files."""
    names = {"torch", "numpy", *variant.packages}
    names = names.union(*(exporters.module_of(name).PACKAGES for name in variant.formats))
    return {name: importlib.metadata.version(name) for name in sorted(names)}


def write_json(path: Path, content: Any, indent: int | None = None) -> None:
    """UTF-8 with a newline at its end."""
    path.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")


def store_outputs(folder: Path, reference: np.ndarray, labels: np.ndarray | None) -> None:
    """What PyTorch computes, and the labels."""
    # Every digit of the float32 is kept: its repr as a double reads back as the same value.
    write_json(folder / "reference.json", {"outputs": reference.reshape(len(reference), -1).tolist()})
    if labels is not None:
        write_json(folder / "labels.json", labels.tolist())


def hashes(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of everything that lies there now."""
    return {path.name: weights.sha256(path) for path in sorted(folder.iterdir())}

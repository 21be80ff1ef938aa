"""What a technique gains or loses: a variant and the baseline, trained under several seeds.

One training says little: another seed alone moves a small network by more than most techniques do.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.stats
import torch

from models import export
from models.accuracy import accuracy
from models.errors import ExportError
from models.pipeline import subject
from models.pipeline.manifest import write_json
from models.pipeline.request import Report, Request
from models.pipeline.training import Stopwatch, trainer
from models.variants import parse

CONFIDENCE = 0.95


def write(request: Request, seeds: int, report: Report) -> dict[str, Any]:
    """Measure the gain and keep it as ``gain.json`` below the request's folder."""
    measured = gain(request, seeds, report)
    request.out.mkdir(parents=True, exist_ok=True)
    write_json(request.out / "gain.json", measured, indent=1)
    return measured


def gain(request: Request, seeds: int, report: Report) -> dict[str, Any]:
    """Accuracies of the request's one variant and of ``nq`` for seeds 0 ... N-1, and their difference.

    Differences are of pairs that share the seed, in points of accuracy; a teacher is trained under the same
    seed. ``helps`` is whether the interval lies above 0. Raises ExportError.
    """
    if seeds < 2:
        raise ExportError(f"--seeds: a gain needs at least two, not {seeds}")
    code, *others = request.variants
    chain = parse(code, request.card).modules
    if others or not chain:
        raise ExportError("--variants: a gain is that of one variant that is trained, such as kd")
    accuracies: dict[str, list[float]] = {"nq": [], code: []}
    for seed in range(seeds):
        wish = replace(request, seed=seed, budget_s=request.budget_s and request.budget_s / seeds)
        shown = subject.of(wish, report)
        if shown.split is None:
            raise ExportError(f"{request.card.id}: has no data to train on")
        fits = len(chain) + 1 + ("kd" in chain)
        watch = Stopwatch()
        shared = trainer(wish, report, fits, watch)
        stages = export.stages_of(wish, shown, report, shared, watch)
        inputs, labels = (
            torch.from_numpy(part) for part in (shown.split.test_inputs, shown.split.test_labels)
        )
        for name, links in (("nq", ()), (code, chain)):
            accuracies[name].append(accuracy(stages.get(links).model, inputs, labels))
        report("gain", seed=seed, **{name: round(100 * values[-1], 3) for name, values in accuracies.items()})
    differences = [100 * (one - other) for one, other in zip(accuracies[code], accuracies["nq"], strict=True)]
    bounds = interval(differences)
    return {
        "model": request.card.id,
        "variant": code,
        "seeds": seeds,
        "accuracies": accuracies,
        "gain_points": float(np.mean(differences)),
        "interval_points": bounds,
        "helps": bounds[0] > 0,
    }


def interval(differences: list[float]) -> tuple[float, float]:
    """Of the mean of two or more, at 95 % by Student's t."""
    count, mean = len(differences), np.mean(differences)
    error = np.std(differences, ddof=1) / math.sqrt(count)
    half = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * error
    return float(mean - half), float(mean + half)

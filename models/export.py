"""An export: one model id and its data become a folder of verified files for each variant."""

from __future__ import annotations

import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from models import verify
from models.errors import ExportError
from models.folder import replacing
from models.pipeline import files, manifest, subject
from models.pipeline.request import Report, Request
from models.pipeline.stages import Stages
from models.pipeline.training import NO_DATA, Stopwatch, Training, trainer
from models.variants import Variant, parse

if TYPE_CHECKING:
    from models.trainer import Trainer


def export(request: Request, report: Report) -> dict[str, str]:
    """Make every variant's ``out/<variant>/b<batch>/``; returns the reason of each that could not be made.

    Each folder appears complete or not at all, and a variant that fails keeps no other from being made.
    ``report(type, **fields)`` takes progress. Raises ExportError where nothing can be made.
    """
    if request.batch < 1:
        raise ExportError(f"--batch must be at least 1, not {request.batch}")
    variants = [parse(code, request.card) for code in request.variants]
    untrained = [variant.code for variant in variants if variant.trains]
    if untrained and not request.data_card:
        raise ExportError(f"{request.card.id}: {', '.join(untrained)} {NO_DATA} {request.card.id}@digits")
    failed = {}
    watch = Stopwatch()
    shared = trainer(request, report, _fits(variants), watch)
    stages = stages_of(request, subject.of(request, report), report, shared, watch)
    request.work.mkdir(parents=True, exist_ok=True)
    # Not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(dir=request.work) as scratch:
        writer = files.Files(stages, Path(scratch))
        for variant in variants:
            report("variant", name=variant.code, edge="start")
            try:
                _variant(request, variant, stages, writer)
            except Exception as problem:  # whatever a converter throws is that variant's alone
                if not isinstance(problem, ExportError):
                    traceback.print_exc()
                failed[variant.code] = " ".join((str(problem) or type(problem).__name__).split())
                report("variant", name=variant.code, edge="failed", reason=failed[variant.code])
            else:
                report("variant", name=variant.code, edge="end")
    return failed


def _fits(variants: list[Variant]) -> int:
    """How many trainings there are at most: one a stage, two a training export, a teacher's."""
    stages = {v.modules[:length] for v in variants for length in range(len(v.modules) + 1)}
    exports = 2 * sum(v.last_kind == "training-export" for v in variants)
    return len(stages) + exports + any("kd" in stage for stage in stages)


def stages_of(
    request: Request, shown: subject.Subject, report: Report, shared: Trainer | None, watch: Stopwatch
) -> Stages:
    def network(other: Request) -> torch.nn.Module:
        return stages_of(other, shown, report, shared, watch).get(()).model

    return Stages(request, shown, Training(request, shown, report, shared, watch, network), report)


def _variant(request: Request, variant: Variant, stages: Stages, writer: files.Files) -> None:
    began = time.monotonic()
    stage, inputs = stages.get(variant.modules), stages.subject
    reference = outputs_of(stage.model, inputs.images)
    baseline = reference if not variant.modules else outputs_of(stages.get(()).model, inputs.images)
    stages.report("step", name="reference", edge="end", margin=verify.margin(reference))
    with replacing(request.out / variant.code / f"b{request.batch}") as folder:
        files.store_inputs(folder, variant.formats, inputs)
        manifest.store_outputs(folder, reference, inputs.labels)
        beside = manifest.hashes(folder)
        made = writer.make(variant, stage, reference, folder)
        told = manifest.content(stages, variant, stage, reference, baseline, made, began)
        manifest.write_json(folder / "manifest.json", {**told, "files": beside}, indent=1)


def outputs_of(model: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    """The reference: what the PyTorch source computes, ``[K, B, classes]``; ExportError if not finite."""
    with torch.inference_mode():
        outputs = np.stack([model(torch.from_numpy(image)).numpy() for image in images])
    if not np.isfinite(outputs).all():
        raise ExportError("the PyTorch model itself gives outputs that are not finite")
    return outputs

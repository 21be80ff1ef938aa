"""A network's files in every format of a variant, each run in its own runtime."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import exporters, techniques, verify, weights
from models.errors import ExportError
from models.pipeline.stages import Stage, Stages
from models.pipeline.subject import Subject
from models.variants import BASELINE, Variant

Facts = dict[str, Any]
CHUNK = 1 << 20


@dataclass
class Files:
    """Writes files; the float file of a format that several variants start from is written once."""

    stages: Stages
    scratch: Path
    _floats: dict[tuple[tuple[str, ...], str], tuple[Path, Facts]] = field(default_factory=dict)

    def make(
        self, variant: Variant, stage: Stage, reference: np.ndarray, folder: Path
    ) -> list[dict[str, Any]]:
        """Every file of a variant, and their entries in the manifest. Raises ExportError."""
        writers = self._writers(variant, stage)
        missing = [format_ for format_ in variant.formats if format_ not in writers]
        if missing:
            raise ExportError(f"{variant.code}: there is no {' or '.join(missing)} of {variant.last}")
        return [
            self._one(format_, writers[format_], variant, reference, folder) for format_ in variant.formats
        ]

    def _writers(self, variant: Variant, stage: Stage) -> dict[str, Callable[[Path], Facts]]:
        if variant.last is None:
            return {
                format_: lambda path, format_=format_: self._copy(variant, stage, format_, path)
                for format_ in variant.formats
            }
        technique = techniques.module_of(variant.last)
        settings = self.stages.settings(variant.last)
        if variant.last_kind == "training-export":
            torch.manual_seed(self.stages.request.seed)
            task = self.stages.task(variant.last)
            with self.stages.training.watch.running():
                writers = technique.exports(stage.model, task, settings, self.stages.report)
            batch = self.stages.request.batch
            return {
                format_: lambda path, write=write: {"facts": write(path, batch)}
                for format_, write in writers.items()
            }
        return {
            format_: lambda path, format_=format_: self._converted(
                variant, stage, format_, technique, settings, path
            )
            for format_ in technique.FORMATS
        }

    def _float(self, variant: Variant, stage: Stage, format_: str) -> tuple[Path, Facts]:
        key = variant.modules, format_
        if key not in self._floats:
            exporter = exporters.module_of(format_)
            # torch writes a program's file name into it: it is the one that the copies have.
            path = self.scratch / ("-".join(variant.modules) or BASELINE) / exporter.FILE
            path.parent.mkdir(exist_ok=True)
            sample = torch.from_numpy(self.stages.subject.images[0])
            self._floats[key] = path, exporter.export(stage.model, sample, path)
        return self._floats[key]

    def _copy(self, variant: Variant, stage: Stage, format_: str, target: Path) -> Facts:
        source, facts = self._float(variant, stage, format_)
        target.write_bytes(source.read_bytes())
        return facts

    def _converted(
        self, variant: Variant, stage: Stage, format_: str, technique: Any, settings: Facts, target: Path
    ) -> Facts:
        source, facts = self._float(variant, stage, exporters.source_of(format_))
        subject, axes = self.stages.subject, exporters.LAYOUTS[exporters.module_of(format_).LAYOUT]
        inputs, origin = None, None
        if variant.calibrates:
            inputs = np.ascontiguousarray(subject.calibration()[None].transpose(axes)[0])
            origin = subject.calibration_origin
        found = technique.convert(format_, source, target, inputs, settings)
        return {**facts, "facts": found | ({"calibration": origin} if origin else {})}

    def _one(
        self,
        format_: str,
        write: Callable[[Path], Facts],
        variant: Variant,
        reference: np.ndarray,
        folder: Path,
    ) -> dict[str, Any]:
        report, subject = self.stages.report, self.stages.subject
        report("step", name=format_, edge="start")
        began = time.monotonic()
        path, exporter = folder / exporters.file_of(format_), exporters.module_of(format_)
        extra = write(path)
        seconds = time.monotonic() - began
        inputs = subject.images.transpose(exporters.LAYOUTS[exporter.LAYOUT])
        agreement = verify.measure(exporter.load(path), inputs, reference, subject.labels)
        if variant.last is None:
            verify.require(agreement, reference, path.name)
        report("step", name=format_, edge="end", export_s=round(seconds, 3), **asdict(agreement))
        calibrated = subject.stored_calibration is not None
        return {
            "format": format_,
            "file": path.name,
            "sha256": weights.sha256(path),
            "bytes": path.stat().st_size,
            "deflated_bytes": deflated_bytes(path),
            "layout": exporter.LAYOUT,
            "dtype": "float32",
            "inputs": inputs_name(exporter.LAYOUT),
            "calibration": inputs_name(exporter.LAYOUT, "calibration") if calibrated else None,
            "lossy": variant.last is not None,
            "accuracy": score(agreement.correct, agreement.total),
            "top1_equal": agreement.top1_equal,
            "total": agreement.total,
            "difference": agreement.difference,
            "facts": {},
            **extra,
        }


def deflated_bytes(path: Path) -> int:
    """The size of the file's zlib stream at level 9: pruned and clustered weights show there alone."""
    deflater, size = zlib.compressobj(9), 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            size += len(deflater.compress(chunk))
    return size + len(deflater.flush())


def score(correct: int | None, total: int) -> dict[str, int] | None:
    """Top-1 on labelled inputs; None without labels."""
    return None if correct is None else {"correct": correct, "total": total}


def inputs_name(layout: str, kind: str = "inputs") -> str:
    """The file that holds the stored inputs, or those to calibrate with, in one layout."""
    return f"{kind}-{layout.lower()}.npy"


def store_inputs(folder: Path, formats: tuple[str, ...], subject: Subject) -> None:
    """Write the inputs, and those to calibrate with, in every layout that a format takes."""
    for layout in {exporters.module_of(format_).LAYOUT for format_ in formats}:
        axes = exporters.LAYOUTS[layout]
        np.save(folder / inputs_name(layout), np.ascontiguousarray(subject.images.transpose(axes)))
        if subject.stored_calibration is not None:
            calibration = np.ascontiguousarray(subject.stored_calibration.transpose(axes))
            np.save(folder / inputs_name(layout, "calibration"), calibration)

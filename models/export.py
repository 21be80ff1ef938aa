"""One export: a card and its weights become a folder of verified files with a manifest."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import builders, exporters, verify, weights
from models.card import Card
from models.errors import ExportError
from models.folder import replacing

SCHEMA = 1
Report = Callable[..., None]


def export(
    card: Card,
    variant: str,
    batch: int,
    seed: int,
    out: Path,
    report: Report,
    file: Path | None = None,
    missing: str | None = None,
    key: str | None = None,
) -> Path:
    """Make every format of a variant below ``out`` and return the manifest's path.

    ``out`` appears complete or not at all. ``report(type, **fields)`` takes progress. ``key`` is the
    caller's mark of what the export was made from. Raises ExportError.
    """
    if variant not in card.variants:
        raise ExportError(f"{card.path}: variants: has no {variant!r}, only {', '.join(card.variants)}")
    report("step", name="weights", edge="start")
    model, origin = weights.load(card, file, missing, seed)
    images, labels = builders.module_of(card).inputs(card, batch, seed)
    calibration = builders.module_of(card).calibration(card, batch)
    reference = outputs_of(model, images)
    report("step", name="weights", edge="end", kind=origin["kind"], margin=verify.margin(reference))
    with replacing(out) as folder:
        files = store_inputs(folder, card.variants[variant], images, reference, labels, calibration)
        artifacts = [
            {
                **make(format_, model, images, reference, labels, folder, report),
                "calibration": calibration_name(format_, calibration),
            }
            for format_ in card.variants[variant]
        ]
        manifest = {
            "schema": SCHEMA,
            "model": card.id,
            "variant": variant,
            "batch": batch,
            "classes": card.classes,
            "weights": origin,
            "key": key,
            "exporters": versions(card.variants[variant]),
            "preprocessing": card.input,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "reference": "reference.json",
            "labels": None if labels is None else "labels.json",
            "artifacts": artifacts,
            "files": files,
        }
        write_json(folder / "manifest.json", manifest, indent=1)
    return out / "manifest.json"


def outputs_of(model: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    """The reference: what the PyTorch source computes, ``[K, B, classes]``; ExportError if not finite."""
    with torch.inference_mode():
        outputs = np.stack([model(torch.from_numpy(image)).numpy() for image in images])
    if not np.isfinite(outputs).all():
        raise ExportError("the PyTorch model itself gives outputs that are not finite")
    return outputs


def store_inputs(
    folder: Path,
    formats: tuple[str, ...],
    images: np.ndarray,
    reference: np.ndarray,
    labels: np.ndarray | None,
    calibration: np.ndarray | None,
) -> dict[str, str]:
    """Write the inputs in every layout a format takes, what belongs to them; name -> SHA-256."""
    for layout in {exporters.module_of(format_).LAYOUT for format_ in formats}:
        axes = exporters.LAYOUTS[layout]
        np.save(folder / inputs_name(layout), np.ascontiguousarray(images.transpose(axes)))
        if calibration is not None:
            name = inputs_name(layout, "calibration")
            np.save(folder / name, np.ascontiguousarray(calibration.transpose(axes)))
    # Every digit of the float32 is kept: its repr as a double reads back as the same value.
    write_json(folder / "reference.json", {"outputs": reference.reshape(len(reference), -1).tolist()})
    if labels is not None:
        write_json(folder / "labels.json", labels.tolist())
    return {path.name: weights.sha256(path) for path in sorted(folder.iterdir())}


def make(
    format_: str,
    model: torch.nn.Module,
    images: np.ndarray,
    reference: np.ndarray,
    labels: np.ndarray | None,
    folder: Path,
    report: Report,
) -> dict[str, Any]:
    """Write one format, run it in its own runtime, and give its entry in the manifest."""
    report("step", name=format_, edge="start")
    began = time.monotonic()
    exporter = exporters.module_of(format_)
    path = folder / exporter.FILE
    extra = exporter.export(model, torch.from_numpy(images[0]), path)
    seconds = time.monotonic() - began
    inputs = images.transpose(exporters.LAYOUTS[exporter.LAYOUT])
    agreement = verify.measure(exporter.load(path), inputs, reference, labels)
    verify.require(agreement, reference, path.name)
    report("step", name=format_, edge="end", export_s=round(seconds, 3), **asdict(agreement))
    return {
        "format": format_,
        "file": path.name,
        "sha256": weights.sha256(path),
        "bytes": path.stat().st_size,
        "layout": exporter.LAYOUT,
        "dtype": "float32",
        "inputs": inputs_name(exporter.LAYOUT),
        "difference": agreement.difference,
        **extra,
    }


def inputs_name(layout: str, kind: str = "inputs") -> str:
    """The file that holds the stored inputs, or those to calibrate with, in one layout."""
    return f"{kind}-{layout.lower()}.npy"


def calibration_name(format_: str, calibration: np.ndarray | None) -> str | None:
    """The file with the tensors to calibrate a format with, where there are some."""
    layout = exporters.module_of(format_).LAYOUT
    return None if calibration is None else inputs_name(layout, "calibration")


def versions(formats: tuple[str, ...]) -> dict[str, str]:
    """The versions of the packages that wrote and checked the files."""
    names = {"torch", "numpy"}.union(*(exporters.module_of(format_).PACKAGES for format_ in formats))
    return {name: importlib.metadata.version(name) for name in sorted(names)}


def write_json(path: Path, content: Any, indent: int | None = None) -> None:
    """UTF-8 with a newline at its end."""
    path.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")

"""An exported folder checked again: its hashes, and what its files compute."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from models import exporters, weights
from models import verify as comparison
from models.errors import ExportError


def verify(folder: Path, report: Callable[..., None]) -> list[dict[str, Any]]:
    """Every file's agreement with the stored reference; ExportError at the first that fails."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{folder}/manifest.json: cannot read it: {error}") from error
    hashes = manifest["files"] | {entry["file"]: entry["sha256"] for entry in manifest["artifacts"]}
    for name, expected in hashes.items():
        if (actual := weights.sha256(folder / name)) != expected:
            raise ExportError(f"{folder / name}: SHA-256 is {actual}, the manifest says {expected}")
    reference = np.array(
        json.loads((folder / manifest["reference"]).read_text())["outputs"], dtype=np.float32
    )
    reference = reference.reshape(len(reference), manifest["batch"], manifest["classes"])
    labels = np.array(json.loads((folder / manifest["labels"]).read_text())) if manifest["labels"] else None
    results = []
    for entry in manifest["artifacts"]:
        report("step", name=entry["format"], edge="start")
        run = exporters.module_of(entry["format"]).load(folder / entry["file"])
        agreement = comparison.measure(run, np.load(folder / entry["inputs"]), reference, labels)
        if not entry["lossy"]:
            comparison.require(agreement, reference, entry["file"])
        report("step", name=entry["format"], edge="end", **asdict(agreement))
        results.append({"format": entry["format"], **asdict(agreement)})
    return results

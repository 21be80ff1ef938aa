"""Model artifacts: found by their manifest, verified by SHA-256 before anything loads them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.catalog import Model
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

SCHEMA = 1


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """``$INFEROMETER_CACHE``, else the user's cache folder."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(environ.get("INFEROMETER_CACHE") or Path(base) / "inferometer")


@dataclass(frozen=True)
class Artifact:
    """One file in one format with what a run needs beside it; paths are absolute."""

    model: str
    variant: str
    batch: int
    format: str
    path: Path
    sha256: str
    bytes: int
    inputs: Path
    weights: str  # "trained", "pretrained", "random(0)", "yours"
    weights_reason: str | None
    reference: Path | None  # PyTorch outputs for the same inputs
    labels: Path | None
    images: tuple[str, ...] = ()  # pictures behind the inputs of a user's own model
    calibration: Path | None = None  # tensors of the training set in this format's layout


def export_key(root: Path, model: Model) -> str:
    """What decides whether an export is current: the card, the exporter's code and its pins."""
    folder = root / "models"
    sources = [model.path, *folder.rglob("*.py"), *folder.glob("requirements*.txt")]
    digest = hashlib.sha256()
    for path in sorted(sources):
        # A user's own card lies elsewhere on every machine.
        name = path.name if path == model.path else path.relative_to(folder)
        digest.update(f"{name}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an artifact folder, or None where there is none. Raises InferometerError if broken."""
    path = folder / "manifest.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise InferometerError(
            f"{path}: unreadable ({problem}); delete {folder} and it is exported again"
        ) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise InferometerError(
            f"{path}: field schema is not {SCHEMA}; delete {folder} and it is exported again"
        )
    return content


def weights_text(weights: Mapping[str, Any]) -> str:
    """How results name the weights: ``random(0)`` for seeded random ones."""
    return f"random({weights['seed']})" if weights["kind"] == "random" else str(weights["kind"])


def open_artifact(folder: Path, format_: str) -> Artifact | None:
    """The artifact of one format in a folder, every file it needs verified; None where absent."""
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    try:
        return _described(folder, manifest, format_)
    except (KeyError, TypeError, AttributeError) as problem:
        raise InferometerError(
            f"{folder / 'manifest.json'}: a field is missing or of another kind ({problem!r}); "
            f"delete {folder} and it is exported again"
        ) from None


def _described(folder: Path, manifest: Mapping[str, Any], format_: str) -> Artifact | None:
    entry = next((item for item in manifest["artifacts"] if item["format"] == format_), None)
    if entry is None:
        return None
    check(folder / entry["file"], entry["sha256"])
    beside = [entry["inputs"], manifest.get("reference"), manifest.get("labels"), entry.get("calibration")]
    for name in filter(None, beside):
        check(folder / name, manifest["files"][name])
    inputs, reference, labels, calibration = (folder / name if name else None for name in beside)
    assert inputs is not None
    return Artifact(
        manifest["model"],
        manifest["variant"],
        manifest["batch"],
        format_,
        folder / entry["file"],
        entry["sha256"],
        entry["bytes"],
        inputs,
        weights_text(manifest["weights"]),
        manifest["weights"].get("reason"),
        reference,
        labels,
        calibration=calibration,
    )


def check(path: Path, sha256: str) -> None:
    """Raises InferometerError unless the file is there with exactly this content."""
    try:
        actual = sha256_file(path)
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None
    if actual != sha256:
        raise InferometerError(
            f"{path}: SHA-256 is {actual[:12]}..., its manifest says {sha256[:12]}...; "
            "restore the file, or delete its folder to have it exported again"
        )


def folder_of(root: Path, cache: Path, model: str, variant: str, batch: int) -> Path:
    """Where an artifact lies: the checkout's own when it ships one, else the cache."""
    relative = Path(model) / variant / f"b{batch}"
    shipped = root / "models" / "artifacts" / relative
    return shipped if shipped.exists() else cache / "artifacts" / relative


def home(root: Path, cache: Path, model: Model, variant: str, batch: int) -> Path:
    """Where an artifact of a model lies: beside its card what its owner brought, else :func:`folder_of`."""
    if model.is_given:
        return model.folder / variant / f"b{batch}"
    return folder_of(root, cache, model.id, variant, batch)


def is_current(root: Path, cache: Path, model: Model, variant: str, batch: int) -> bool:
    """Whether the export is there, made by the present card and exporter, with the best weights at hand."""
    folder = home(root, cache, model, variant, batch)
    manifest = read_manifest(folder)
    if manifest is None:
        return False
    shipped = (root / "models" / "artifacts") in folder.parents
    if shipped or model.is_given:  # shipped: checked against its exporter by a test, not at every start
        return True
    made_from = manifest.get("weights")
    is_random = isinstance(made_from, dict) and made_from.get("kind") == "random"
    file = weights_file(cache, model)
    better = is_random and file is not None and file.exists()
    return manifest.get("key") == export_key(root, model) and not better


def weights_file(cache: Path, model: Model) -> Path | None:
    """Where a model's downloaded weights lie, or a user puts them; None where the card names none."""
    url = model.weights.get("url")
    return cache / "weights" / url.rsplit("/", 1)[-1] if url else None

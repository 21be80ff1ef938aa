"""Model artifacts: found by their manifest, verified by SHA-256 before anything loads them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import data
from orchestrator.catalog import Catalog, Model
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

SCHEMA = 2
OLDER = (1,)


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
    lossy: bool = False  # it computes something else than its PyTorch source, on purpose
    told: Mapping[str, Any] = field(default_factory=dict)  # what its exporter says of it

    def to_json(self) -> dict[str, Any]:
        """What a trial's record keeps of it."""
        told = dict(self.told)
        return {
            "format": self.format,
            "bytes": self.bytes,
            "weights": self.weights,
            "weights_reason": self.weights_reason,
            "reference": told.pop("baseline", None),  # of nq's network, also for variants of it
            "lossy": self.lossy,
            **told,
        }


# Fields of `told`: of the file's entry in the manifest, then of the manifest itself.
TOLD = ("deflated_bytes", "accuracy", "top1_equal", "total", "facts")
TOLD_OF_ALL = ("parameters", "nonzero_parameters", "macs", "baseline")


def export_key(root: Path, cache: Path, model: Model) -> str:
    """What decides whether an export is current: the cards, the exporter's code and its pins, the data.

    A data card holds its files' SHA-256; of data without, a stamp of the files follows after a blank.
    """
    folder = root / "models"
    cards = [model.path, *([model.data_card] if model.data_card else []), *model.teachers]
    code = [*folder.rglob("*.py"), *folder.glob("requirements*.txt"), folder / "techniques/variants.toml"]
    digest = hashlib.sha256()
    for path in sorted(set(filter(Path.exists, [*cards, *code]))):
        name = path.relative_to(folder) if folder in path.parents else path.name
        digest.update(f"{name}\0{sha256_file(path)}\n".encode())
    stamp = _stamp(root, cache, model)
    return digest.hexdigest() + (f" {stamp}" if stamp else "")


def _stamp(root: Path, cache: Path, model: Model) -> str | None:
    """Of data that no SHA-256 is known of, where it is here."""
    if model.data is None:
        return None
    card, folder = Catalog(root).data().get(model.data), data.data_dir()
    if card is None:
        place, _ = data.fetch(root, cache, model.data, folder, lambda text: None)
    elif card.bundled or (card.files and all(file.sha256 for file in card.files)):
        return None
    else:
        place = data.lies_at(cache, card, folder)
    return data.stamp(place) if place else None


def same_key(made: str | None, now: str) -> bool:
    """Whether two export keys say the same; data that is not here now is taken to be what it was."""
    (before, _, old), (after, _, new) = (made or "").partition(" "), now.partition(" ")
    return before == after and (not new or old == new)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an artifact folder, None where there is none or an older version's.

    Raises InferometerError if it is broken.
    """
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
    if isinstance(content, dict) and content.get("schema") in OLDER:
        return None  # exported again
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
        lossy=entry["lossy"],
        told={
            **{name: entry[name] for name in TOLD},
            **{name: manifest[name] for name in TOLD_OF_ALL},
            "training_cut": training_cut(manifest, entry),
        },
    )


def training_cut(manifest: Mapping[str, Any], entry: Mapping[str, Any]) -> str | None:
    """Which trainings of a file a budget ended early, or None; ``entry`` is the file's in the manifest."""
    trainings = [("nq", manifest["training"] or {}), (manifest["variant"], entry["facts"])]
    trainings += [(one["code"], one["facts"]) for one in manifest["techniques"]]
    cut = [
        f"{code} had {told['epochs_done']:g} of {told['epochs']:g} epochs"
        for code, told in trainings
        if "epochs_done" in told and told["epochs_done"] < told["epochs"]
    ]
    return "a budget ended training early: " + ", ".join(cut) if cut else None


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


def cached(cache: Path, model: str, seed: int = 0) -> Path:
    """The cache's folder of a model id; trainings from other seeds than 0 have folders of their own."""
    return cache / ("artifacts" if seed == 0 else f"artifacts-seed-{seed}") / model


def folder_of(root: Path, cache: Path, model: str, variant: str, batch: int, seed: int = 0) -> Path:
    """Where an artifact lies: the checkout's own when it ships one, else the cache."""
    relative = Path(variant) / f"b{batch}"
    shipped = root / "models" / "artifacts" / model / relative
    return shipped if shipped.exists() and seed == 0 else cached(cache, model, seed) / relative


def is_current(root: Path, cache: Path, model: Model, variant: str, batch: int, seed: int = 0) -> bool:
    """Whether the export is there, made by the present card and exporter, with the best weights at hand."""
    folder = folder_of(root, cache, model.id, variant, batch, seed)
    manifest = read_manifest(folder)
    if manifest is None:
        return False
    shipped = (root / "models" / "artifacts") in folder.parents
    if shipped:  # checked against its exporter by a test, not at every start
        return True
    made_from, file = manifest.get("weights"), weights_file(cache, model)
    is_official = isinstance(made_from, dict) and (
        made_from.get("kind") != "random" and not made_from.get("reason")
    )
    better = not is_official and file is not None and file.exists()
    return same_key(manifest.get("key"), export_key(root, cache, model)) and not better


def weights_file(cache: Path, model: Model) -> Path | None:
    """Where a model's downloaded weights lie, or a user puts them; None where the card names none."""
    url = model.weights.get("url")
    return cache / "weights" / url.rsplit("/", 1)[-1] if url else None

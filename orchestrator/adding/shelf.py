"""The user's models folder: for each model a card and a folder of artifacts, put in place at once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import artifacts
from orchestrator.adding.spec import Spec
from orchestrator.catalog import OWN
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file, write_atomic

LABELS = "labels.json"


@dataclass(frozen=True)
class Part:
    """One file of a model, copied to ``path``, with the tensors ``[K, *shape]`` it will be shown."""

    format: str
    source: Path  # what its owner calls it
    path: Path
    sha256: str
    spec: Spec
    tensors: np.ndarray[Any, Any]


@contextmanager
def staging(models: Path, name: str) -> Iterator[Path]:
    """A folder beside where the model will lie, readable to containers, gone afterwards."""
    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=models, prefix=f".{name}."))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy(source: Path, target: Path) -> None:
    """Durably, whatever the umask readable to the runners' user. Raises InferometerError."""
    try:
        with source.open("rb") as reading, target.open("wb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            writing.flush()
            os.fsync(writing.fileno())
    except OSError as problem:
        if problem.filename == str(source):
            what = problem.strerror if source.exists() else "there is no such file"
            raise InferometerError(f"{source}: {what}") from None
        raise
    target.chmod(0o644)


def conflict(
    models: Path, name: str, format_: str, batch: int, sha256: str, labels: str | None
) -> str | None:
    """Why a file cannot join what is there under this name, or None. ``labels``: SHA-256 of its labels."""
    folder = models / name / OWN / f"b{batch}"
    if (models / f"{name}.toml").exists() and not (models / name / OWN).is_dir():
        return f"{name} is there already, as weights with a card"
    manifest = artifacts.read_manifest(folder)
    if manifest is None:
        return None
    others = [entry for entry in manifest["artifacts"] if entry["format"] != format_]
    for entry in manifest["artifacts"]:
        if entry["format"] == format_ and entry["sha256"] != sha256:
            return (
                f"{name} is there already, from another file ({entry['source']}, {entry['sha256'][:12]}...)"
            )
    if others and manifest["files"].get(LABELS) != labels:
        return f"the other files of {name} are scored on {_scored_on(manifest)}, and one model has one truth"
    return None


def put(
    models: Path,
    name: str,
    stage: Path,
    parts: Sequence[Part],
    labels: np.ndarray[Any, Any] | None,
    data: Mapping[str, Any] | None,
    replace: bool,
) -> Path:
    """Write inputs, labels and manifest beside the copied files, then card and folder in place; the card.

    ``labels`` ``[K, batch]``. ``data`` is the manifest's account of where the inputs are from; None: they
    are synthetic.
    """
    batch = parts[0].spec.batch
    folder = stage / OWN / f"b{batch}"
    folder.mkdir(parents=True)
    kept = None if replace else artifacts.read_manifest(models / name / OWN / f"b{batch}")
    added = {part.format for part in parts}
    entries = [entry for entry in (kept["artifacts"] if kept else ()) if entry["format"] not in added]
    files: dict[str, str] = {}
    for entry in entries:
        for file in (entry["file"], entry["inputs"]):
            copy(models / name / OWN / f"b{batch}" / file, folder / file)
        assert kept
        files[entry["inputs"]] = kept["files"][entry["inputs"]]
    for part in parts:
        os.rename(part.path, folder / f"model.{part.format}")
        files[f"inputs-{part.format}.npy"] = _save(folder / f"inputs-{part.format}.npy", part.tensors)
        entries.append(_entry(part, folder / f"model.{part.format}"))
    if labels is not None:
        files[LABELS] = _write(folder / LABELS, labels.tolist(), None)
    outputs = next((part.spec.outputs for part in parts), None)
    manifest = {
        "schema": artifacts.SCHEMA,
        "model": name,
        "variant": OWN,
        "batch": batch,
        "family": name,
        "classes": None if labels is None else outputs,
        "weights": {"kind": "yours", "seed": None, "url": None, "sha256": None, "reason": None},
        "key": None,
        "exporters": {},
        "preprocessing": None,
        "data": data and {**data, "preprocessing_sha256": _digest(files)},
        "techniques": [],
        "training": None,
        "accuracy": None,
        "baseline": None,
        "parameters": None,
        "nonzero_parameters": None,
        "macs": None,
        "reference": None,
        "labels": None if labels is None else LABELS,
        "artifacts": entries,
        "files": files,
    }
    _write(folder / "manifest.json", manifest, 1)
    for above in (folder, folder.parent):  # containers read it as another user, whatever the umask
        above.chmod(0o755)
    _swap(stage / OWN, models / name / OWN, f"b{batch}", replace)
    card = models / f"{name}.toml"
    write_atomic(card, _card(models / name / OWN).encode())
    return card


def remove(models: Path, cache: Path, name: str) -> None:
    """Card, folder and whatever was exported from it; the card first, so that half a removal is one."""
    (models / f"{name}.toml").unlink(missing_ok=True)
    clear(models / name)
    clear(cache / "artifacts" / name)


def clear(folder: Path) -> None:
    """A folder away, if it is there."""
    if folder.is_dir():
        shutil.rmtree(folder)


def labels_sha256(labels: np.ndarray[Any, Any] | None) -> str | None:
    """That of the file that ``put`` would write."""
    return None if labels is None else hashlib.sha256(_json(labels.tolist(), None)).hexdigest()


def _entry(part: Part, path: Path) -> dict[str, Any]:
    spec, (size_bytes, deflated_bytes) = part.spec, _sizes(path)
    return {
        "format": part.format,
        "file": f"model.{part.format}",
        "source": part.source.name,
        "sha256": part.sha256,
        "bytes": size_bytes,
        "deflated_bytes": deflated_bytes,
        "layout": spec.layout,
        "dtype": spec.dtype,
        "shape": list(spec.shape),
        "quantization": spec.quantization,
        "inputs": f"inputs-{part.format}.npy",
        "lossy": False,
        "accuracy": None,
        "top1_equal": None,
        "total": None,
        "difference": None,
        "facts": {},
    }


def _digest(files: Mapping[str, str]) -> str:
    """Of everything that is shown to the model's files."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _sizes(path: Path) -> tuple[int, int]:
    """Bytes of a file, and of its zlib stream at level 9."""
    deflater, size_bytes, deflated_bytes = zlib.compressobj(9), 0, 0
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            size_bytes += len(chunk)
            deflated_bytes += len(deflater.compress(chunk))
    return size_bytes, deflated_bytes + len(deflater.flush())


def _swap(fresh: Path, target: Path, batch: str, replace: bool) -> None:
    """``fresh`` in the place of ``target``; without ``replace`` only its folder of this batch size."""
    source, goal = (fresh, target) if replace else (fresh / batch, target / batch)
    goal.parent.mkdir(parents=True, exist_ok=True)
    goal.parent.chmod(0o755)
    old = fresh.parent / "old"
    if replace and target.parent.exists():
        source, goal = fresh.parent / "whole", target.parent
        source.mkdir()
        os.rename(fresh, source / target.name)
    if goal.exists():
        os.rename(goal, old)
    os.rename(source, goal)
    goal.chmod(0o755)


def _card(own: Path) -> str:
    found = [
        (int(path.parent.name[1:]), artifacts.read_manifest(path.parent))
        for path in own.glob("b*/manifest.json")
    ]
    manifests = [manifest for _, manifest in sorted(found, key=lambda pair: pair[0]) if manifest]
    entries = [entry for manifest in manifests for entry in manifest["artifacts"]]
    sources = ", ".join(dict.fromkeys(entry["source"] for entry in entries))
    about = " and ".join(dict.fromkeys(map(_scored_on, manifests)))
    fields = {
        "title": f"{sources} ({about})",
        "formats": list(dict.fromkeys(entry["format"] for entry in entries)),
        "batches": sorted(manifest["batch"] for manifest in manifests),
    }
    # Of printable text, JSON is TOML.
    title, formats, batches = (json.dumps(value, ensure_ascii=False) for value in fields.values())
    return (
        "# Written by `inferometer models add`. It lies here and not in the cache, which may be deleted:\n"
        "# nothing could make these files again. `inferometer models remove` takes card and folder away.\n"
        f'title = {title}\n\n[weights]\nkind = "yours"\n\n'
        f"[variants.{OWN}]\nformats = {formats}\nbatches = {batches}\n"
    )


def _scored_on(manifest: Mapping[str, Any]) -> str:
    data = manifest["data"]
    if data is None:
        return "synthetic inputs, latency only"
    return f"{data['inputs']} inputs of {data['id']}" + ("" if manifest["labels"] else ", no labels")


def _save(path: Path, tensors: np.ndarray[Any, Any]) -> str:
    np.save(path, np.ascontiguousarray(tensors))
    path.chmod(0o644)
    return sha256_file(path)


def _write(path: Path, content: Any, indent: int | None) -> str:
    path.write_bytes(_json(content, indent))
    path.chmod(0o644)
    return sha256_file(path)


def _json(content: Any, indent: int | None) -> bytes:
    return json.dumps(content, indent=indent, ensure_ascii=False).encode() + b"\n"

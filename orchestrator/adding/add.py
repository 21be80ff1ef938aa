"""Adding a model: copy it, let its runtime read it, make its inputs, put it in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import lock, own
from orchestrator.adding import data as given
from orchestrator.adding import shelf, spec, state_dict, tensors
from orchestrator.adding.data import Data
from orchestrator.adding.shelf import Part
from orchestrator.adding.spec import Scaling, Spec
from orchestrator.cases import runtimes_of
from orchestrator.catalog import Catalog
from orchestrator.choices import Listener, choose_device, choose_engine, lacking
from orchestrator.domain import InferometerError
from orchestrator.engines.place import here
from orchestrator.files import sha256_file
from orchestrator.own import OwnModel
from orchestrator.plan import Wish

_SEED = 0  # of synthetic inputs


@dataclass(frozen=True)
class Addition:
    """What the user said. ``files`` are formats of one model; ``batch`` is for inputs that leave it open."""

    files: tuple[Path, ...]
    id: str | None = None
    data: Path | None = None
    labels: Path | None = None
    scaling: Scaling = Scaling()
    layout: str | None = None
    batch: int | None = None
    card: Path | None = None
    replace: bool = False
    engine: str = "auto"
    runtimes: tuple[str, ...] = ()  # that may read the files


def add(catalog: Catalog, cache: Path, wanted: Addition, listener: Listener) -> Path:
    """Bring files into the catalogue as one model; returns its card. Raises InferometerError."""
    assert catalog.own
    suite = list(Catalog(catalog.root).models())
    name = spec.check_id(wanted.id or wanted.files[0].stem, wanted.files[0], suite)
    if wanted.labels and not wanted.data:
        raise InferometerError("--labels belong to inputs; give those with --data")
    if any(path.suffix.lower() in state_dict.SUFFIXES for path in wanted.files):
        return state_dict.add(
            catalog, cache, name, _only(wanted), wanted.card, wanted.replace, wanted.engine, listener
        )
    if wanted.card:
        raise InferometerError(f"--card goes with weights (.pth); {wanted.files[0]} says itself what it is")
    models = [OwnModel(path) for path in wanted.files]
    _distinct(models)
    data = given.read(wanted.data, wanted.labels) if wanted.data else None
    with lock.hold(f"adding {name}"), shelf.staging(catalog.own, name) as stage:
        specs = _read(catalog, cache, wanted, models, stage, listener)
        made, labels = _inputs(models, specs, data, wanted.scaling)
        parts = [
            Part(model.format, model.path, copy, sha256_file(copy), one, array)
            for model, (copy, one), array in zip(models, specs, made, strict=True)
        ]
        for part in () if wanted.replace else parts:
            sha256 = shelf.labels_sha256(labels)
            why = shelf.conflict(catalog.own, name, part.format, part.spec.batch, part.sha256, sha256)
            if why:
                raise InferometerError(f"{part.source}: {why}; give another --id, or --replace")
        for part in parts:
            listener.say(_described(part, data))
        about = _about(data, len(made[0]) * parts[0].spec.batch, wanted.scaling)
        return shelf.put(catalog.own, name, stage, parts, labels, about, wanted.replace)


def _only(wanted: Addition) -> Path:
    said = wanted.data or wanted.scaling or wanted.layout or wanted.batch
    if len(wanted.files) > 1 or said:
        raise InferometerError(
            f"{wanted.files[0]}: weights are added alone, and their card says what the inputs are; "
            "leave out all but --card, --id and --replace"
        )
    return wanted.files[0]


def _distinct(models: Sequence[OwnModel]) -> None:
    seen: dict[str, Path] = {}
    for model in models:
        other = seen.setdefault(model.format, model.path)
        if other is not model.path:
            raise InferometerError(
                f"{model.path}: {other} is of the same format; one model has one file of each"
            )


def _read(
    catalog: Catalog,
    cache: Path,
    wanted: Addition,
    models: Sequence[OwnModel],
    stage: Path,
    listener: Listener,
) -> list[tuple[Path, Spec]]:
    """Each file's copy and what its runtime read from it."""
    device = choose_device(catalog, "", False, False, here())
    engine, _ = choose_engine(catalog.root, cache, wanted.engine, device, listener)
    missing = lacking(device, engine.name, here())
    runtimes = runtimes_of(catalog, Wish(device.id, runtimes=wanted.runtimes), device)
    found = []
    for model in models:
        able = own.readers(model, runtimes, wanted.runtimes or device.runtimes)
        copy = stage / f"given.{model.format}"
        shelf.copy(model.path, copy)
        readable = replace(model, copy=copy)
        signature, _ = own.read(readable, able, device, engine, missing, listener.say)
        found.append((copy, spec.read(model.path, signature, wanted.batch, wanted.layout)))
    batches = {one.batch for _, one in found}
    if len(batches) > 1:
        raise InferometerError(
            f"{models[0].path}: the files have batches of {' and '.join(map(str, sorted(batches)))}; "
            "add them one after the other"
        )
    return found


def _inputs(
    models: Sequence[OwnModel], specs: Sequence[tuple[Path, Spec]], data: Data | None, scaling: Scaling
) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any] | None]:
    """The tensors of each file, and the labels ``[K, batch]`` of all."""
    if data is None:
        if scaling:
            raise InferometerError(
                "--input-range, --mean and --std are for the pixels of --data; give that too"
            )
        return [tensors.synthetic(one, _SEED) for _, one in specs], None
    made = [_tensors(model.path, one, data, scaling) for model, (_, one) in zip(models, specs, strict=True)]
    if data.labels is None:
        return made, None
    _, first = specs[0]
    labels = data.labels[given.chosen(data, first)][: made[0].shape[0] * first.batch]
    for model, (_, one) in zip(models, specs, strict=True):
        if one.outputs is not None and labels.max() >= one.outputs:
            raise InferometerError(
                f"{data.path}: has class {labels.max()}, but {model.path} gives {one.outputs} values each"
            )
    return made, labels.reshape(-1, first.batch)


def _tensors(path: Path, one: Spec, data: Data, scaling: Scaling) -> np.ndarray[Any, Any]:
    indices = given.chosen(data, one)
    if len(indices) < one.batch:
        raise InferometerError(f"{data.path}: holds {len(indices)} inputs, a batch of {path} is {one.batch}")
    if isinstance(data.items, tuple):
        if one.layout is None:
            wanted = "say --layout NCHW or NHWC" if len(one.shape) == 4 else "give its inputs as an .npz"
            raise InferometerError(
                f"{path}: its input shape {list(one.shape)} does not tell how a picture lies in it; {wanted}"
            )
        items = np.stack([given.pixels(data.items[index], one) for index in indices])
    else:
        items = data.items[indices]
    return tensors.batched(one, tensors.prepared(data.path, one, items, scaling, data.is_pictures))


def _about(data: Data | None, count: int, scaling: Scaling) -> dict[str, Any] | None:
    if data is None:
        return None
    said = {"input_range": scaling.limits, "mean": scaling.mean or None, "std": scaling.std or None}
    return {"id": data.path.name, "sha256": data.sha256, "inputs": count, **said}


def _described(part: Part, data: Data | None) -> str:
    one = part.spec
    quantised = f", quantised with scale {one.quantization[0]:g}" if one.quantization else ""
    takes = f"{part.source}: takes {one.dtype} {list(one.shape)} {one.layout or ''}".rstrip() + quantised
    if data is None:
        return f"{takes}; shown synthetic inputs, so latency only: give --data to score it"
    shown = len(part.tensors) * one.batch
    scored = "scored on its labels" if data.labels is not None else "without labels nothing is scored"
    return f"{takes}; shown {shown} of the {len(data.items)} inputs of {data.path}, {scored}"

"""What is being judged: a runner made ready to launch, and the model it is judged with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orchestrator.artifacts import folder_of, open_artifact, read_manifest
from orchestrator.catalog import Runtime
from orchestrator.domain import InferometerError
from orchestrator.engines.launch import Engine
from orchestrator.files import sha256_file

# Small, real, in the checkout, and in every format the suite's own runners load.
SHIPPED = "digits-cnn"


@dataclass(frozen=True)
class Material:
    """A model file and its input tensors; ``shape`` is that of one tensor, ``count`` how many there are."""

    path: Path
    format: str
    sha256: str
    inputs: Path
    count: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Subject:
    """A runner to judge. ``runtime`` is its ``runner.toml``, None where it has none."""

    name: str
    engine: Engine
    target: str
    material: Material
    options: Mapping[str, str] = field(default_factory=dict)
    runtime: Runtime | None = None
    timeout_s: float = 120.0
    window_ns: int = 2 * 10**9


def material(path: Path, format_: str, inputs: Path) -> Material:
    """A user's own files. Raises InferometerError where they cannot serve."""
    if not path.is_file():
        raise InferometerError(f"{path}: no such model file; name one with --model")
    try:
        array = np.load(inputs, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as problem:
        raise InferometerError(
            f"{inputs}: no .npy file of inputs ({problem}); write it with numpy.save"
        ) from None
    if array.ndim < 2 or not array.shape[0]:
        raise InferometerError(
            f"{inputs}: holds shape {array.shape}; make it [K, ...], K complete input tensors"
        )
    return Material(
        path.resolve(), format_, sha256_file(path), inputs.resolve(), array.shape[0], tuple(array.shape[1:])
    )


def shipped(root: Path, cache: Path, formats: Sequence[str] | None = None) -> list[Material]:
    """The suite's own small model in those of the formats it has, in the order given; None: in all."""
    folder = folder_of(root, cache, SHIPPED, "nq", 1)
    manifest = read_manifest(folder)
    if manifest is None:
        return []
    known = [item["format"] for item in manifest["artifacts"]]
    found = []
    for format_ in known if formats is None else formats:
        artifact = open_artifact(folder, format_)
        if artifact:
            found.append(material(artifact.path, format_, artifact.inputs))
    return found


def reasons(runtime: Runtime | None, known: Sequence[str]) -> dict[str, str]:
    """The written reasons of ``[skip]``. Raises InferometerError for an empty one or an unknown clause."""
    if runtime is None:
        return {}
    place = f"{runtime.folder / 'runner.toml'}: field skip"
    for key, reason in runtime.skips.items():
        if key not in known:
            raise InferometerError(f"{place}.{key} names no clause and no check; known: {', '.join(known)}")
        if not isinstance(reason, str) or not reason.strip():
            raise InferometerError(f"{place}.{key} must be a written reason")
    return dict(runtime.skips)

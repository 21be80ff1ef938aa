"""A training's state in a work folder, replaced after each epoch: what a killed training goes on from."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from models import batches
from models.errors import ExportError


def digest(model: torch.nn.Module) -> str:
    """Of a module's structure and of every parameter and buffer in it."""
    content = hashlib.sha256(repr(model).encode())
    for name, value in model.state_dict().items():
        # Some modules keep other things than tensors in their state.
        told = batches.digest(value) if isinstance(value, torch.Tensor) else repr(value)
        content.update(f"{name} {told}".encode())
    return content.hexdigest()


def read(path: Path) -> dict[str, Any] | None:
    """The state, or None where there is none; ExportError for a file that is none."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise ExportError(f"{path}: cannot read the checkpoint, delete it: {error}") from error


def write(path: Path, state: dict[str, Any]) -> None:
    """The file is the old state or the new one, whenever the process or the power dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)

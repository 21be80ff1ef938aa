"""A state dict from a file that may be anything, and how it differs from what a network has."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from models.errors import ExportError


def load(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name; ExportError for what is none, and for code that wants to be run."""
    try:
        given = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ExportError(
            f"{file}: holds more than weights, or none; save model.state_dict() with torch.save"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ExportError(f"{file}: is no file that torch.save wrote, or a damaged one") from error
    if not isinstance(given, dict) or not all(isinstance(value, torch.Tensor) for value in given.values()):
        inside = [name for name in given if isinstance(given[name], dict)] if isinstance(given, dict) else []
        hint = f"; save what it has as {inside[0]!r} alone" if inside else ""
        raise ExportError(f"{file}: is no dict of tensors by name{hint}")
    return given


def misfits(wanted: dict[str, torch.Size], given: dict[str, torch.Tensor]) -> str:
    """Which names are missing, unexpected or of another shape; empty where the weights fit."""
    shapes = [
        f"{name} {list(given[name].shape)} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in given and given[name].shape != shape
    ]
    found = {
        "missing": [name for name in wanted if name not in given],
        "unexpected": [name for name in given if name not in wanted],
        "of another shape": shapes,
    }
    return "; ".join(f"{kind}: {_brief(names)}" for kind, names in found.items() if names)


def _brief(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

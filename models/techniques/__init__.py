"""One module a technique, named as its code is; ``variants.toml`` lists them for who imports no torch.

Every module has ``KIND`` and ``DEFAULTS``, its settings as plain JSON, and by its kind

``module``
    ``apply(model, task, settings, report) -> (module, facts)``: another network in eval mode; the given one
    stays as it is.
``file``
    ``convert(format_, source, target, calibration, settings) -> facts``: another file from the float file of
    a format; ``calibration`` is float32 ``[N, ...]`` in the format's layout, or None.
``training-export``
    ``exports(model, task, settings, report) -> {format: write}``, where ``write(path, batch) -> facts``.

Facts are plain JSON. Inputs and outputs of every file stay float32 with the names and layout of the baseline.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from models.errors import ExportError


def module_of(code: str) -> ModuleType:
    """The module of a technique that ``variants.toml`` lists. Raises ExportError where it is not there."""
    name = f"models.techniques.{code}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ExportError(f"{code}: there is no {name.replace('.', '/')}.py") from error


def defaults(code: str, scale: str | None) -> dict[str, Any]:
    """A technique's settings; at a scale with those of its own table of that name, such as ``SMOKE``."""
    module = module_of(code)
    return {**module.DEFAULTS, **getattr(module, scale.upper(), {})} if scale else dict(module.DEFAULTS)

"""One file a technique; a variant is a chain of their codes, applied from left to right.

A technique's module has ``KIND``, ``DEFAULTS`` (its settings) and, where quick runs want others, one
table of settings a scale, such as ``SMOKE``. A ``module`` technique has ``apply(model, task, settings,
report)``, which gives a new module in eval mode and the facts about it.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from models.errors import ExportError

MODULE = ("fpr", "kd", "prn", "wcl")  # change the network and train it further
PRECISION = ("blq", "f16", "fiq", "qat")  # change the numbers it is made of: last in a chain
ALIASES = {"nq": (), "prq": ("prn", "fiq")}


def parse(code: str) -> tuple[str, ...]:
    """The techniques of a variant, none for ``nq``; ExportError naming what is wrong with it."""
    if code in ALIASES:
        return ALIASES[code]
    chain = tuple(code.split("-"))
    for link in chain:
        if link not in MODULE + PRECISION:
            known = ", ".join(sorted([*MODULE, *PRECISION, *ALIASES]))
            raise ExportError(f"variant {code!r}: there is no technique {link!r}, only {known}")
        if chain.count(link) > 1:
            raise ExportError(f"variant {code!r}: {link} stands in it twice")
        if link in PRECISION and link != chain[-1]:
            raise ExportError(f"variant {code!r}: {link} writes files, so nothing can follow it")
    return chain


def precision(code: str) -> str:
    """What numbers the variant's files hold: nq (float32), blq, f16, fiq or qat."""
    chain = parse(code)
    return chain[-1] if chain and chain[-1] in PRECISION else "nq"


def module_of(technique: str) -> ModuleType:
    """The module of one technique of a chain."""
    return importlib.import_module(f"models.techniques.{technique}")


def settings(technique: str, scale: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """A technique's settings: its own, those of the scale, then ``given`` ones; ExportError for unknown."""
    module = module_of(technique)
    unknown = sorted(given.keys() - module.DEFAULTS.keys())
    if unknown:
        known = ", ".join(module.DEFAULTS)
        raise ExportError(f"{technique}.{unknown[0]}: is no setting, only {known}")
    scaled = getattr(module, scale.upper(), {}) if scale else {}
    return {**module.DEFAULTS, **scaled, **given}

"""A summary or a comparison from schema 1 to 2: rows get every field a row can have.

Each field that schema 2 added says by its default that nothing is known: none of them was computed then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

from orchestrator.domain import CaseSummary

_RUN = ("observer", "isolation", "power", "versions", "reproduces")  # optional, None where unknown


def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """The document with ``schema`` 2, its rows and the headers of its runs filled up."""
    found = {**content, "schema": 2}
    defaults = _defaults()
    if isinstance(found.get("cases"), list):
        found["cases"] = [_filled(row, defaults) for row in found["cases"]]
    if "run" in found:
        found["run"] = _filled(found["run"], dict.fromkeys(_RUN))
    if isinstance(found.get("runs"), list):
        found["runs"] = [_filled(run, dict.fromkeys(_RUN)) for run in found["runs"]]
    return found


def _filled(item: Any, defaults: Mapping[str, Any]) -> Any:
    return {**defaults, **item} if isinstance(item, Mapping) else item


def _defaults() -> dict[str, Any]:
    """The defaults of a row's fields as JSON has them."""
    found = {}
    for field in fields(CaseSummary):
        if field.default is not MISSING:
            value: Any = field.default
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            continue
        found[field.name] = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain

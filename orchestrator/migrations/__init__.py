"""Documents of older schemas as today's: one file a step, applied by whoever reads one.

Only what is in memory changes: an old results folder stays as it was written, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.migrations import run_2, summary_2

SCHEMA = 2  # of results folders (run.json and what lies beside it), summaries and comparisons

_Step = Callable[[Mapping[str, Any]], dict[str, Any]]
# Each from one schema to the next, beginning with 1. A comparison of runs is a summary, too.
_STEPS: Mapping[str, tuple[_Step, ...]] = {"run": (run_2.upgraded,), "summary": (summary_2.upgraded,)}


def current(kind: str, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` as the present schema has it; ``kind``: run | summary.

    Fields are filled in or renamed, never checked: that is the reader's. Raises InferometerError naming
    ``name`` where the schema is none that this version knows.
    """
    schema = content.get("schema")
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        newer = type(schema) is int and schema > SCHEMA
        fix = (
            "update this suite (git pull) to the version that wrote it" if newer else "restore it from a copy"
        )
        raise InferometerError(
            f"{name}: field schema is {schema!r:.20}, this version reads 1 to {SCHEMA}; {fix}"
        )
    found = dict(content)
    for step in _STEPS[kind][schema - 1 :]:
        found = step(found)
    return found

"""Whether a document that somebody may have edited has the shape its schema says, and where it has not.

The published schemas are the rules. Of a merge's thousands of rows jsonschema would need many seconds,
so jsonschema-rs applies them. Fields that no schema knows are let through: a later version may have
added them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

_SCHEMAS = Path(__file__).parents[1] / "schemas"
_LARGEST = 1e60  # beyond it, and below its inverse, squares of squares fail; no figure of a machine is near
_MOST = 2**63  # whole numbers below it have a place in every table
_QUOTED = 60  # characters of a reason that a line shows


def problem(kind: str, document: object) -> str | None:
    """The first field that is not as ``<kind>.schema.json`` says, with the reason; None where all are."""
    for path, reason in _unusable(document, ()):
        return f"field {_joined(path)} {reason}"
    for error in _validator(kind).iter_errors(document):
        deepest = _deepest(error)
        return f"field {_joined(deepest.instance_path)}: {_short(deepest.message)}"
    return None


def _deepest(error: ValidationError) -> ValidationError:
    """Of alternatives, none of which fits, the fault of the one that came closest: null or an object, say."""
    faults = [_deepest(fault) for branch in getattr(error.kind, "context", ()) for fault in branch]
    return max(faults, key=lambda fault: len(fault.instance_path), default=error)


@cache
def _validator(kind: str) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator, Registry

    files = {path.name: json.loads(path.read_bytes(), object_hook=_open) for path in _SCHEMAS.iterdir()}
    return Draft202012Validator(files[f"{kind}.schema.json"], registry=Registry(list(files.items())))


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    closed = ("additionalProperties", "unevaluatedProperties")
    return {word: told for word, told in schema.items() if told is not False or word not in closed}


def _unusable(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """JSON can say what no program can go on with: endless numbers, and half a character."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _unusable(name, path)
            yield from _unusable(inner, (*path, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _unusable(inner, (*path, position))
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            yield path, f"is {json.dumps(value)}, which has half a character"
    elif isinstance(value, float):
        if value != 0 and not 1 / _LARGEST < abs(value) < _LARGEST:
            yield path, f"is {value}, which no figure of a machine is"
    elif isinstance(value, int) and not -_MOST <= value < _MOST:
        yield path, f"is {_short(str(value))}, beyond 64 bits"


def _joined(path: Sequence[str | int]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in path)
    return "".join(steps).lstrip(".") or "document"


def _short(text: str) -> str:
    """As much of it as a line has room for, in letters that break none."""
    whole = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    return whole if len(whole) <= _QUOTED else f"{whole[:_QUOTED]}..."

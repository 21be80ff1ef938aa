"""Whether a document that somebody may have edited has the shape its schema says, and where it has not.

The published schemas are the rules. Of a merge's thousands of rows jsonschema would need many seconds,
so jsonschema-rs applies them. Fields that no schema knows are let through: a later version may have
added them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

_SCHEMAS = Path(__file__).parent / "schemas"
_MOST = 2**63  # numbers below it have a place in every table
_LEAST = 1e-60  # below it squares of squares are 0; no figure of a machine is near
# What the bounds in the schemas let through of the unusable: halves of characters, NaN, the very small.
_WORDS = ("\\ud", "\\uD", "NaN", "Infinity")
_SMALL = tuple(re.compile(rf"{letter}-0*([6-9]\d|[1-9]\d\d)") for letter in "eE")
_OF_TODAY = ("required", "minimum", "exclusiveMinimum", "minLength", "minItems", "pattern")
_QUOTED = 80  # characters of a reason that a line shows


def problem(kind: str, text: str | bytes, document: object) -> str | None:
    """The first field that is not as ``<kind>.schema.json`` says, with the reason; None where all are.

    ``text`` is what ``document`` was read from: numbers and letters that no program goes on with show in it.
    """
    error = next(_validator(kind).iter_errors(document), None)
    if error or _may_hide_something(text):
        for path, reason in _unusable(document, ()):
            return f"field {_joined(path)} {reason}"
    if error is None:
        return None
    deepest = _deepest(error)
    return f"field {_joined(deepest.instance_path)}: {_short(deepest.message)}"


def _may_hide_something(text: str | bytes) -> bool:
    try:
        whole = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError:  # json.loads takes half a character for one
        return True
    return any(word in whole for word in _WORDS) or any(small.search(whole) for small in _SMALL)


def _deepest(error: ValidationError) -> ValidationError:
    """Of alternatives, none of which fits, the fault of the one that came closest: null or an object, say."""
    faults = [_deepest(fault) for branch in getattr(error.kind, "context", ()) for fault in branch]
    return max(faults, key=lambda fault: len(fault.instance_path), default=error)


@cache
def _validator(kind: str) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator, Registry

    hook = _typed if kind == "trial" else _open
    files = {path.name: json.loads(path.read_bytes(), object_hook=hook) for path in _SCHEMAS.iterdir()}
    return Draft202012Validator(files[f"{kind}.schema.json"], registry=Registry(list(files.items())))


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """Lets unknown fields through, and bounds every number."""
    kinds = schema.get("type", ())
    bounds = {"minimum": -_MOST, "maximum": _MOST - 1} if "integer" in kinds or "number" in kinds else {}
    closed = ("additionalProperties", "unevaluatedProperties")
    return {
        **bounds,
        **{word: told for word, told in schema.items() if told is not False or word not in closed},
    }


def _typed(schema: dict[str, Any]) -> dict[str, Any]:
    """Types alone, and ``dependentRequired``, which says what came together in every version.

    A record of an older version lacks later fields: its constructor knows which may.
    """
    return _open({word: told for word, told in schema.items() if word not in _OF_TODAY})


def _unusable(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """JSON can say what no program goes on with: numbers out of all bounds, and half a character."""
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
    elif isinstance(value, int | float) and value != 0 and not _LEAST < abs(value) < _MOST:
        yield path, f"is {_short(str(value))}, which no figure of a machine is"


def _joined(path: Sequence[str | int]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in path)
    return "".join(steps).lstrip(".") or "document"


def _short(text: str) -> str:
    """As much of it as a line has room for, in letters that break none."""
    whole = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    return whole if len(whole) <= _QUOTED else f"{whole[:_QUOTED]}..."

"""Whether a document that somebody may have edited has the shape its schema says, and where it has not.

The published schemas are the rules. jsonschema applies them to each message of a runner; to the thousands
of rows of a merge it would take minutes, so here each rule becomes a function once.

Fields that no schema knows are let through: a later version may have added them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_SCHEMAS = Path(__file__).parents[1] / "schemas"
_LARGEST = 1e60  # beyond it, and below its inverse, squares of squares fail; no figure of a machine is near
_MOST = 2**63  # whole numbers below it have a place in every table
_QUOTED = 40  # characters of a wrong value that a line shows

Problem = tuple[str, str]  # path of the field below the value (".modes[0].p50_ns"), and what is wrong with it
Rule = Callable[[Any], Problem | None]


def problem(kind: str, document: object) -> str | None:
    """The first field that is not as ``<kind>.schema.json`` says, with the reason; None where all are."""
    found = _file(f"{kind}.schema.json")(document)
    return f"field {found[0].lstrip('.') or 'document'} {found[1]}" if found else None


@cache
def _content(name: str) -> Any:
    return json.loads((_SCHEMAS / name).read_bytes())


def _file(name: str) -> Rule:
    return _reference(name, "")


@cache
def _reference(name: str, pointer: str) -> Rule:
    schema = _content(name)
    for step in filter(None, pointer.split("/")):
        schema = schema[step]
    return _rule(schema, name)


def _rule(schema: Mapping[str, Any], name: str) -> Rule:
    rules = tuple(_rules(schema, name))

    def all_of(value: Any) -> Problem | None:
        for rule in rules:
            found = rule(value)
            if found:
                return found
        return None

    return rules[0] if len(rules) == 1 else all_of


def _rules(schema: Mapping[str, Any], name: str) -> Iterator[Rule]:
    """One for each thing that a schema says, types first: what comes after may rely on them."""
    if "$ref" in schema:
        file, _, pointer = schema["$ref"].partition("#")
        yield _reference(file or name, pointer)
    if "type" in schema:
        kinds = schema["type"]
        yield _typed([kinds] if isinstance(kinds, str) else kinds)
    if "enum" in schema or "const" in schema:
        yield _one_of(schema.get("enum", [schema.get("const")]))
    if {"minimum", "exclusiveMinimum", "maximum"} & set(schema):
        yield _within(schema)
    if {"minLength", "minItems", "minProperties"} & set(schema):
        yield _filled
    if "pattern" in schema:
        yield _matching(schema["pattern"])
    if {"required", "properties"} & set(schema) or isinstance(schema.get("additionalProperties"), Mapping):
        yield _object(schema, name)
    if "items" in schema:
        yield _items(_rule(schema["items"], name))
    if "anyOf" in schema:
        yield _any_of([_rule(one, name) for one in schema["anyOf"]])


_KINDS: Mapping[str, tuple[str, frozenset[type]]] = {
    "object": ("an object", frozenset({dict})),
    "array": ("a list", frozenset({list})),
    "string": ("text", frozenset({str})),
    "number": ("a number", frozenset({int, float})),
    "integer": ("a whole number", frozenset({int})),
    "boolean": ("true or false", frozenset({bool})),
    "null": ("null", frozenset({type(None)})),
}


def _is_text(value: str) -> bool:
    """Half a character is none (JSON can write one); nothing could print it."""
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


_USABLE: Mapping[type, Callable[[Any], bool]] = {
    int: lambda value: -_MOST <= value < _MOST,
    float: lambda value: value == 0 or 1 / _LARGEST < abs(value) < _LARGEST,
    str: _is_text,
}


def _typed(names: list[str]) -> Rule:
    kinds = frozenset[type]().union(*(_KINDS[name][1] for name in names))
    wanted = " or ".join(_KINDS[name][0] for name in names)

    def typed(value: Any) -> Problem | None:
        kind = type(value)
        if kind in kinds and (kind not in _USABLE or _USABLE[kind](value)):
            return None
        return "", f"is {_quote(value)}, not {wanted}"

    return typed


def _one_of(values: list[Any]) -> Rule:
    known = " or ".join(json.dumps(value) for value in values)

    def one_of(value: Any) -> Problem | None:
        if any(type(value) is type(one) and value == one for one in values):
            return None
        return "", f"is {_quote(value)}, not {known}"

    return one_of


def _within(schema: Mapping[str, Any]) -> Rule:
    least, above = schema.get("minimum", -_LARGEST), schema.get("exclusiveMinimum", -_LARGEST)
    most = schema.get("maximum", _LARGEST)
    words = [f"at least {least}"] if "minimum" in schema else []
    words += [f"above {above}"] if "exclusiveMinimum" in schema else []
    words += [f"at most {most}"] if "maximum" in schema else []
    told = " and ".join(words)

    def within(value: Any) -> Problem | None:
        if value is None or (least <= value <= most and value > above):
            return None
        return "", f"is {_quote(value)}, not {told}"

    return within


def _filled(value: Any) -> Problem | None:
    return ("", "is empty") if value is not None and not value else None


def _matching(pattern: str) -> Rule:
    found = re.compile(pattern)
    return lambda value: (
        None if found.search(value) else ("", f"is {_quote(value)}, which does not match {pattern}")
    )


def _object(schema: Mapping[str, Any], name: str) -> Rule:
    required = frozenset(schema.get("required", ()))
    fields = {field: _rule(told, name) for field, told in schema.get("properties", {}).items() if told}
    others = schema.get("additionalProperties")
    other = _rule(others, name) if isinstance(others, Mapping) else None

    def object_(value: Any) -> Problem | None:
        if value is None:
            return None
        if not required <= value.keys():
            return f".{min(required - value.keys())}", "is missing"
        for field, inner in value.items():
            rule = fields.get(field, other)
            if rule:
                found = rule(inner)
                if found:
                    return f".{field}{found[0]}", found[1]
        return None

    return object_


def _items(rule: Rule) -> Rule:
    def items(value: Any) -> Problem | None:
        for position, item in enumerate(value or ()):
            found = rule(item)
            if found:
                return f"[{position}]{found[0]}", found[1]
        return None

    return items


def _any_of(rules: list[Rule]) -> Rule:
    def any_of(value: Any) -> Problem | None:
        found = None
        for rule in rules:
            found = rule(value)
            if found is None:
                return None
        return found  # of the last: the first is null, or a figure that the last has the reason for

    return any_of


def _quote(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."

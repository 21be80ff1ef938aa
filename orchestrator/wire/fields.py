"""Typed access to the fields of one protocol line; every complaint names message and field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

MAX_COUNT = 2**63  # no duration, size or clock is beyond it; figures stay computable


class Violation(ValueError):
    """A line that breaks the protocol; the text says how."""


def brief(value: Any) -> str:
    """A value for a message, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "..."


def is_count(value: Any) -> TypeGuard[int]:
    """Whether it is a whole number from 0 that fits 63 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_COUNT


def integer(message: Mapping[str, Any], name: str) -> int:
    """A field that is one. Raises Violation."""
    value = message.get(name)
    if not is_count(value):
        raise Violation(f"{message['type']}.{name} must be a whole number >= 0, got {brief(value)}")
    return value


def string(message: Mapping[str, Any], name: str) -> str:
    """A field that is a string. Raises Violation."""
    value = message.get(name)
    if not isinstance(value, str):
        raise Violation(f"{message['type']}.{name} must be a string, got {brief(value)}")
    return value


def strings(message: Mapping[str, Any], *names: str) -> None:
    """Check that fields are strings. Raises Violation."""
    for name in names:
        string(message, name)


def table(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A field that is an object. Raises Violation."""
    value = message.get(name)
    if not isinstance(value, dict):
        raise Violation(f"{message['type']}.{name} must be an object, got {brief(value)}")
    return value


def listing(message: Mapping[str, Any], name: str, kinds: tuple[type, ...], least: int = 0) -> list[Any]:
    """A field that is a list of these kinds. Raises Violation."""
    value = message.get(name)
    # A set of types instead of isinstance per item: windows hold up to millions of values.
    if not isinstance(value, list) or not set(map(type, value)) <= set(kinds):
        raise Violation(f"{message['type']}.{name} must be a list of {'/'.join(k.__name__ for k in kinds)}")
    if len(value) < least:
        raise Violation(f"{message['type']}.{name} is empty")
    return value


def durations(message: Mapping[str, Any]) -> list[int]:
    """The field ``values_ns``. Raises Violation."""
    values = listing(message, "values_ns", (int,))
    if values and min(values) < 0:
        raise Violation(f"{message['type']}.values_ns holds a negative duration")
    if values and max(values) >= MAX_COUNT:
        raise Violation(f"{message['type']}.values_ns holds a duration beyond 64 bits")
    return values

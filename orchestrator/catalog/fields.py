"""Typed access to TOML files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Fields:
    """Typed access to one TOML file; every complaint names the file, the field and the fix."""

    def __init__(self, path: Path, data: Mapping[str, Any], prefix: str = ""):
        self.path, self.data, self.prefix = path, data, prefix

    def get(self, name: str, kind: type, default: Any = ...) -> Any:
        """The value of a field of the given type. Raises InferometerError if missing or of another type."""
        value = self.data.get(name, default)
        if value is ...:
            raise InferometerError(f"{self.path}: field {self.prefix}{name} is missing; add it")
        if value is not default and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        ):
            raise InferometerError(
                f"{self.path}: field {self.prefix}{name} must be {_KIND_NAMES[kind]}, got {value!r}"
            )
        return value

    def strings(self, name: str, default: Any = ...) -> tuple[str, ...]:
        """A list of strings as a tuple."""
        values = self.get(name, list, default)
        if not all(isinstance(value, str) for value in values):
            raise InferometerError(f"{self.path}: field {self.prefix}{name} must be a list of strings")
        return tuple(values)

    def table(self, name: str, default: Any = ...) -> Fields:
        """A sub-table."""
        return Fields(self.path, self.get(name, dict, default), f"{self.prefix}{name}.")

    def tables(self, name: str) -> list[Fields]:
        """A list of tables, empty when absent."""
        entries = self.get(name, list, [])
        if not all(isinstance(entry, dict) for entry in entries):
            raise InferometerError(f"{self.path}: field {self.prefix}{name} must be a list of tables")
        return [Fields(self.path, entry, f"{self.prefix}{name}[{i}].") for i, entry in enumerate(entries)]


_KIND_NAMES = {str: "a string", list: "a list", dict: "a table", bool: "true or false", int: "a whole number"}


def load_toml(path: Path) -> Fields:
    """Read a TOML file. Raises InferometerError naming file and line when it is malformed."""
    try:
        return Fields(path, tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InferometerError(f"{path}: not valid TOML: {problem}; mend that line") from None
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None

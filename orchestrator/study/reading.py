"""Study files: ``orchestrator/studies/<id>.toml``, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.catalog import Catalog, Fields, load_toml
from orchestrator.domain import InferometerError
from orchestrator.plan import known
from orchestrator.study.card import (
    BASELINE,
    Citation,
    Figure,
    Published,
    Repeats,
    Smoke,
    Study,
    Table,
)
from orchestrator.study.metrics import METRICS

_ROWS = ("variants", "runtimes")
_RELATIONS = ("", "<", ">", "about")


def folder(root: Path) -> Path:
    """Where studies lie."""
    return root / "orchestrator" / "studies"


def read_all(root: Path) -> dict[str, Study]:
    """All studies by id."""
    return {path.stem: read(path) for path in sorted(folder(root).glob("*.toml"))}


def find(root: Path, name: str) -> Study:
    """One study. Raises InferometerError listing the known ids."""
    paths = {path.stem: path for path in folder(root).glob("*.toml")}
    known("study", [name], list(paths))
    return read(paths[name])


def read(path: Path) -> Study:
    """One study file. Raises InferometerError naming file, field and fix."""
    fields = load_toml(path)
    models, variants = _words(fields, "models"), _words(fields, "variants")
    runtimes = _words(fields, "runtimes")
    return Study(
        path.stem,
        path,
        fields.get("title", str),
        _citation(fields.table("citation")),
        models,
        _with_baseline(fields, variants),
        fields.strings("data", []),
        runtimes,
        fields.strings("devices", []),
        _options(fields, runtimes),
        tuple(_table(entry, variants) for entry in _some(fields, "tables")),
        tuple(_figure(entry, models) for entry in fields.tables("figures")),
        _repeats(fields, models, variants),
        _smoke(fields, models, variants, runtimes),
        tuple(_value(entry, fields) for entry in fields.tables("published")),
    )


def check(study: Study, catalog: Catalog) -> None:
    """Raises InferometerError where the study names a runtime or device that is not there."""
    for kind, names, existing in (
        ("runtime", study.runtimes, list(catalog.runtimes())),
        ("device", study.devices, list(catalog.devices())),
    ):
        try:
            known(kind, names, existing)
        except InferometerError as problem:
            raise InferometerError(f"{study.path}: field {kind}s: {problem}") from None


def _some(fields: Fields, name: str) -> list[Fields]:
    entries = fields.tables(name)
    if not entries:
        raise InferometerError(f"{fields.path}: field {name} is missing; add at least one [[{name}]]")
    return entries


def _words(fields: Fields, name: str) -> tuple[str, ...]:
    words = fields.strings(name)
    if not words or len(set(words)) != len(words) or not all(word.strip() == word != "" for word in words):
        raise InferometerError(
            f"{fields.path}: field {fields.prefix}{name} must list at least one name, each once"
        )
    return words


def _with_baseline(fields: Fields, variants: tuple[str, ...]) -> tuple[str, ...]:
    if BASELINE not in variants:
        raise InferometerError(
            f"{fields.path}: field variants must hold {BASELINE}, from which drops are counted"
        )
    return variants


def _member(fields: Fields, name: str, allowed: Sequence[str], default: Any = ...) -> Any:
    value = fields.get(name, str, default)
    if value is not default and value not in allowed:
        shown = ", ".join(repr(word) for word in allowed)
        raise InferometerError(f"{fields.path}: field {fields.prefix}{name} is {value!r}; use one of {shown}")
    return value


def _members(fields: Fields, name: str, allowed: Sequence[str], default: Any = ...) -> tuple[str, ...]:
    values = fields.strings(name, default)
    for value in values:
        if value not in allowed:
            raise InferometerError(
                f"{fields.path}: field {fields.prefix}{name} holds {value!r}; "
                f"use some of {', '.join(allowed)}"
            )
    return values


def _citation(fields: Fields) -> Citation:
    text = {name: fields.get(name, str, None) for name in ("title", "venue", "doi", "parts")}
    return Citation(_words(fields, "authors"), fields.get("year", int, None), **text)


def _options(fields: Fields, runtimes: Sequence[str]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    table = fields.table("options", {})
    found = []
    for name in table.data:
        runtime, _, option = name.partition(".")
        if runtime not in runtimes or not option:
            raise InferometerError(
                f'{fields.path}: field options.{name} must be "RUNTIME.OPTION" of a runtime of the study'
            )
        found.append((runtime, option, table.strings(name)))
    return tuple(found)


def _table(fields: Fields, variants: Sequence[str]) -> Table:
    return Table(
        fields.get("title", str),
        _member(fields, "rows", _ROWS, "variants"),
        _members(fields, "columns", tuple(METRICS)),
        _members(fields, "variants", variants, []),
    )


def _figure(fields: Fields, models: Sequence[str]) -> Figure:
    return Figure(fields.get("title", str), _member(fields, "model", models))


def _repeats(fields: Fields, models: Sequence[str], variants: Sequence[str]) -> Repeats | None:
    if "repeats" not in fields.data:
        return None
    table = fields.table("repeats")
    return Repeats(
        _members(table, "models", models),
        _member(table, "variant", variants),
        _member(table, "against", variants),
        _seeds(table, least=3),
    )


def _seeds(fields: Fields, least: int) -> int:
    seeds: int = fields.get("seeds", int, 0)
    if seeds > 100 or (seeds < 3 and seeds != least):
        raise InferometerError(
            f"{fields.path}: field {fields.prefix}seeds is {seeds}; use {least or '0, or 3'} to 100"
        )
    return seeds


def _smoke(fields: Fields, models: Sequence[str], variants: Sequence[str], runtimes: Sequence[str]) -> Smoke:
    table = fields.table("smoke", {})
    only = table.table("only", {})
    for name in only.data:
        if name not in runtimes:
            raise InferometerError(f"{fields.path}: field smoke.only names {name!r}, which runtimes does not")
    return Smoke(
        table.strings("models", list(models)),
        table.strings("variants", list(variants)),
        _members(table, "runtimes", runtimes, list(runtimes)),
        table.get("data", str, "digits"),
        _seeds(table, least=0),
        {name: _members(only, name, variants) for name in only.data},
    )


def _value(fields: Fields, study: Fields) -> Published:
    models, variants, data, runtimes, devices = (
        study.strings(name, []) for name in ("models", "variants", "data", "runtimes", "devices")
    )
    metric = _member(fields, "metric", tuple(METRICS))
    value, upper = _number(fields, "value"), _number(fields, "upper", None)
    if upper is not None and (value is None or upper <= value):
        raise InferometerError(f"{fields.path}: field {fields.prefix}upper must lie above value")
    assert value is not None
    return Published(
        metric,
        _member(fields, "model", models, None),
        _member(fields, "variant", variants),
        _member(fields, "data", data, None),
        value,
        upper,
        _member(fields, "relation", _RELATIONS, ""),
        _member(fields, "unit", METRICS[metric]),
        fields.get("source", str),
        _member(fields, "runtime", runtimes, None),
        _member(fields, "device", devices, None),
    )


def _number(fields: Fields, name: str, default: Any = ...) -> float | None:
    value = fields.data.get(name, default)
    if value is ...:
        raise InferometerError(f"{fields.path}: field {fields.prefix}{name} is missing; add it")
    if value is default:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
        raise InferometerError(f"{fields.path}: field {fields.prefix}{name} must be a number, got {value!r}")
    return float(value)

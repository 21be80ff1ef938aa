"""The only place that interprets ids: devices, runtimes and models as data found in folders.

A device is ``orchestrator/devices/<id>.toml``; a runtime is a folder ``runners/<id>/`` with
``runner.toml`` and ``runner.py``; a model is a card ``models/<id>.toml``. Nothing else lists them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.plan import known

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


@dataclass(frozen=True)
class Accelerator:
    """What a device provides and how a container reaches it: arguments of ``containers.create``."""

    container: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False  # used where the engine offers it, not missed where it does not


@dataclass(frozen=True)
class Cooldown:
    """When a trial may start: no sensor more than ``band_c`` above its baseline, or ``timeout_s`` over."""

    band_c: int
    timeout_s: int


@dataclass(frozen=True)
class Device:
    """A board or PC. ``profile`` keeps the whole file for recognition and telemetry."""

    id: str
    title: str
    platform: str  # Docker's os/arch
    accelerators: Mapping[str, Accelerator]
    min_launches: int
    runtimes: tuple[str, ...]  # measured where none is named
    memory_bytes: int | None  # what the board is sold with; None: it differs
    emulator: Mapping[str, str]  # environment of the emulator that stands in for its processor
    sources: tuple[str, ...]  # of telemetry
    cooldown: Cooldown
    path: Path
    profile: Mapping[str, Any]

    @property
    def arch(self) -> str:
        """The processor architecture in ``uname -m`` spelling."""
        return {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}.get(self.platform, self.platform)


@dataclass(frozen=True)
class Option:
    """One runtime option: all values and those a bench sweeps by default."""

    values: tuple[str, ...]
    default: tuple[str, ...]
    help: str


@dataclass(frozen=True)
class Tool:
    """A host command that option values need under the process engine."""

    option: str
    values: tuple[str, ...]
    command: str
    fix: str


@dataclass(frozen=True)
class Runtime:
    """An inference framework as its runner folder describes it."""

    id: str
    title: str
    package: str
    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    default: bool
    arch: tuple[str, ...]
    accelerators: tuple[str, ...]  # those it can run on
    folder: Path
    options: Mapping[str, Option] = field(default_factory=dict)
    compile: tuple[tuple[str, str, str], ...] = ()  # (option, value, format made)
    tools: tuple[Tool, ...] = ()
    skips: Mapping[str, str] = field(default_factory=dict)

    def compiled_format(self, options: Mapping[str, str]) -> str | None:
        """The format that must be made on this machine first for these options, or None."""
        return next((made for name, value, made in self.compile if options.get(name) == value), None)


@dataclass(frozen=True)
class Model:
    """A model card."""

    id: str
    title: str
    path: Path
    variants: Mapping[str, tuple[str, ...]]  # variant -> formats
    weights: Mapping[str, Any]
    default: bool  # part of a bench that names no models


def read_device(path: Path) -> Device:
    """One device profile."""
    fields = load_toml(path)
    accelerators = fields.table("accelerators")
    accelerators.table("cpu")  # every device has one
    fields.table("recognise")
    emulator, cooldown = fields.table("emulator", {}), fields.table("cooldown")
    return Device(
        path.stem,
        fields.get("title", str),
        fields.get("platform", str),
        {name: _read_accelerator(accelerators.table(name)) for name in accelerators.data},
        fields.get("min_launches", int),
        fields.strings("runtimes"),
        fields.get("memory_bytes", int, None),
        {name: emulator.get(name, str) for name in emulator.data},
        fields.table("telemetry").strings("sources"),
        Cooldown(cooldown.get("band_c", int), cooldown.get("timeout_s", int)),
        path,
        fields.data,
    )


def _read_accelerator(fields: Fields) -> Accelerator:
    container: dict[str, Any] = {}
    if fields.get("runtime", str, ""):
        container["runtime"] = fields.get("runtime", str)
    if fields.strings("devices", []):
        container["devices"] = list(fields.strings("devices"))
    environment = fields.table("environment", {})
    if environment.data:
        container["environment"] = {name: environment.get(name, str) for name in environment.data}
    return Accelerator(container, fields.get("optional", bool, False))


def read_runtime(path: Path) -> Runtime:
    """One ``runner.toml``; the id is the folder's name."""
    fields = load_toml(path)
    options = {}
    for name in fields.get("options", dict, {}):
        option = fields.table("options").table(name)
        values = option.strings("values")
        default = option.strings("default")
        if values != ("*",):
            for value in default:
                if value not in values:
                    raise InferometerError(
                        f"{path}: field {option.prefix}default holds {value!r}, which is not among values"
                    )
        options[name] = Option(values, default, option.get("help", str))
    return Runtime(
        path.parent.name,
        fields.get("title", str),
        fields.get("package", str),
        fields.strings("formats"),
        fields.strings("precisions"),
        fields.get("default", bool),
        fields.table("needs").strings("arch"),
        fields.table("needs").strings("accelerators", ["cpu"]),
        path.parent,
        options,
        tuple(
            (entry.get("option", str), entry.get("value", str), entry.get("format", str))
            for entry in fields.tables("compile")
        ),
        tuple(
            Tool(
                entry.get("option", str),
                entry.strings("values"),
                entry.get("command", str),
                entry.get("fix", str),
            )
            for entry in fields.tables("tools")
        ),
        fields.get("skip", dict, {}),
    )


def read_model(path: Path) -> Model:
    """One model card."""
    fields = load_toml(path)
    variants = fields.table("variants")
    return Model(
        path.stem,
        fields.get("title", str),
        path,
        {name: variants.table(name).strings("formats") for name in variants.data},
        fields.get("weights", dict),
        fields.get("default", bool, False),
    )


class Catalog:
    """Everything that is known, read on demand from the suite's own folders."""

    def __init__(self, root: Path):
        self.root = root

    def devices(self) -> dict[str, Device]:
        """All device profiles by id."""
        return {p.stem: read_device(p) for p in sorted((self.root / "orchestrator/devices").glob("*.toml"))}

    def runtimes(self) -> dict[str, Runtime]:
        """All runtimes by id."""
        paths = sorted((self.root / "runners").glob("*/runner.toml"))
        return {path.parent.name: read_runtime(path) for path in paths}

    def models(self) -> dict[str, Model]:
        """All model cards by id."""
        return {path.stem: read_model(path) for path in sorted((self.root / "models").glob("*.toml"))}

    def device(self, name: str) -> Device:
        """One device. Raises InferometerError listing the known ids."""
        devices = self.devices()
        known("device", [name], list(devices))
        return devices[name]


def suite_root() -> Path:
    """The checkout that holds ``runners/``, ``models/`` and ``Dockerfiles/``."""
    return Path(__file__).resolve().parent.parent

"""Runtimes: ``runners/<id>/runner.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.catalog.fields import load_toml
from orchestrator.domain import InferometerError


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
class Flavour:
    """An image of its own for one accelerator: the same Dockerfile with other requirements."""

    arch: tuple[str, ...]
    requirements: str


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
    accelerators: tuple[str, ...]  # those its image runs on
    folder: Path
    flavours: Mapping[str, Flavour] = field(default_factory=dict)  # by the accelerator they are for
    options: Mapping[str, Option] = field(default_factory=dict)
    compile: tuple[tuple[str, str, str], ...] = ()  # (option, value, format made)
    tools: tuple[Tool, ...] = ()
    skips: Mapping[str, str] = field(default_factory=dict)

    def offers(self, arch: str) -> tuple[str, ...]:
        """The accelerators it runs on beside this processor."""
        return self.accelerators + tuple(n for n, item in self.flavours.items() if arch in item.arch)

    def build_arguments(self, accelerator: str) -> dict[str, str]:
        """What its Dockerfile is built with for an accelerator."""
        flavour = self.flavours.get(accelerator)
        return {"REQUIREMENTS": flavour.requirements} if flavour else {}

    def compiled_format(self, options: Mapping[str, str]) -> str | None:
        """The format that must be made on this machine first for these options, or None."""
        return next((made for name, value, made in self.compile if options.get(name) == value), None)


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
        {
            name: Flavour(entry.strings("arch"), entry.get("requirements", str))
            for name in fields.get("images", dict, {})
            for entry in [fields.table("images").table(name)]
        },
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

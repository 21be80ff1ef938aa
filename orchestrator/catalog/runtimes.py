"""Runtimes: ``runners/<id>/runner.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.domain import InferometerError

LOADGEN = Path("sdk/requirements-loadgen.txt")  # below runners/; build argument LOADGEN installs it


@dataclass(frozen=True)
class Option:
    """One runtime option: all values and those a bench sweeps by default."""

    values: tuple[str, ...]
    default: tuple[str, ...]
    help: str
    lowers: tuple[str, ...] = ()  # values with which it computes less precisely than the model says
    accelerators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # values for these alone
    default_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # precision -> in its stead

    def swept(self, precision: str) -> tuple[str, ...]:
        """The values a bench sweeps by default for files of a precision."""
        return self.default_for.get(precision, self.default)


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
    bases: tuple[tuple[str, Mapping[str, str]], ...] = ()  # (words of an L4T release, build arguments)
    release: str | None = None  # the L4T release of the board it is for
    loadgen: bool = False  # with MLPerf's LoadGen in its image or environment

    @property
    def further(self) -> tuple[Path, ...]:
        """Requirements beside its own."""
        return (self.folder.parent / LOADGEN,) if self.loadgen else ()

    def at(self, release: str | None) -> Runtime:
        """The same on a board with this L4T release, the first line of its ``/etc/nv_tegra_release``."""
        return replace(self, release=release)

    def offers(self, arch: str) -> tuple[str, ...]:
        """The accelerators it runs on beside this processor."""
        return self.accelerators + tuple(n for n, item in self.flavours.items() if arch in item.arch)

    def build_arguments(self, accelerator: str) -> dict[str, str]:
        """What its Dockerfile is built with for an accelerator. Raises InferometerError."""
        flavour = self.flavours.get(accelerator)
        arguments = {"REQUIREMENTS": flavour.requirements} if flavour else {}
        arguments |= {"LOADGEN": LOADGEN.name} if self.loadgen else {}
        return arguments | self._base() if self.bases and self.release else arguments

    def recipes(self) -> list[dict[str, str]]:
        """The build arguments of every image of it, for whatever accelerator or board."""
        flavours = [{"REQUIREMENTS": item.requirements} for item in self.flavours.values()]
        plain = [{}, *flavours, *(dict(arguments) for _, arguments in self.bases)]
        return plain + [{**arguments, "LOADGEN": LOADGEN.name} for arguments in plain]

    def _base(self) -> dict[str, str]:
        for words, arguments in self.bases:
            if words in str(self.release):
                return dict(arguments)
        known = ", ".join(words for words, _ in self.bases)
        raise InferometerError(
            f"{self.folder / 'runner.toml'}: field bases has no image for this board's L4T release "
            f"({self.release}), only for {known}; add an entry with NVIDIA's image for it"
        )

    def is_lowered(self, options: Mapping[str, str]) -> bool:
        """Whether it computes less precisely than the model says with these options."""
        return any(
            value in item.lowers for name, item in self.options.items() if (value := options.get(name))
        )

    def unsuited(self, options: Mapping[str, str], accelerator: str) -> list[str]:
        """Names of the options whose values are for other accelerators."""
        limits = {name: self.options[name].accelerators.get(options[name]) for name in options}
        return [name for name, able in limits.items() if able and accelerator not in able]

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
        default, lowers = option.strings("default"), option.strings("lowers", [])
        only = option.table("accelerators", {})
        accelerators = {value: only.strings(value) for value in only.data}
        usual = option.table("default_for", {})
        default_for = {precision: usual.strings(precision) for precision in usual.data}
        usually = [value for values_ in default_for.values() for value in values_]
        for field_, held in (
            ("default", default),
            ("lowers", lowers),
            ("accelerators", accelerators),
            ("default_for", usually),
        ):
            if values != ("*",) and (wrong := [value for value in held if value not in values]):
                raise InferometerError(
                    f"{path}: field {option.prefix}{field_} holds {wrong[0]!r}, which is not among values"
                )
        options[name] = Option(values, default, option.get("help", str), lowers, accelerators, default_for)
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
        tuple(_read_base(entry) for entry in fields.tables("bases")),
    )


def _read_base(entry: Fields) -> tuple[str, Mapping[str, str]]:
    arguments = entry.table("arguments")
    return entry.get("tegra_release", str), {name: arguments.get(name, str) for name in arguments.data}

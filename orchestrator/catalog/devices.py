"""Device profiles: ``orchestrator/devices/<id>.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.domain import InferometerError

_NODE = re.compile(r"/dev/[\w*?.:/-]+", re.ASCII)  # a board's shell expands it


@dataclass(frozen=True)
class Accelerator:
    """What a device provides and how a container reaches it: arguments of ``containers.create``.

    ``nodes`` among them: patterns of device nodes whose groups the container's user joins.
    """

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
    release: str | None  # L4T, for images that are built away from the board
    python: str | None  # that its system ships, where the suite itself needs a newer one
    path: Path
    profile: Mapping[str, Any]

    @property
    def arch(self) -> str:
        """The processor architecture in ``uname -m`` spelling."""
        return {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}.get(self.platform, self.platform)


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
        fields.get("tegra_release", str, None),
        fields.get("python", str, None),
        path,
        fields.data,
    )


def _read_accelerator(fields: Fields) -> Accelerator:
    container: dict[str, Any] = {}
    if fields.get("runtime", str, ""):
        container["runtime"] = fields.get("runtime", str)
    if fields.strings("devices", []):
        container["devices"] = list(fields.strings("devices"))
    nodes = fields.strings("nodes", [])
    if wrong := [name for name in nodes if not _NODE.fullmatch(name)]:
        raise InferometerError(
            f"{fields.path}: field {fields.prefix}nodes holds {wrong[0]!r}, which is no path below /dev; "
            "* and ? may stand for parts of names"
        )
    if nodes:
        container["nodes"] = list(nodes)
    environment = fields.table("environment", {})
    if environment.data:
        container["environment"] = {name: environment.get(name, str) for name in environment.data}
    return Accelerator(container, fields.get("optional", bool, False))

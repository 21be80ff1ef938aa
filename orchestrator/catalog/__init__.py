"""The only place that interprets ids: devices, runtimes and models as data found in folders.

A device is ``orchestrator/devices/<id>.toml``; a runtime is a folder ``runners/<id>/`` with
``runner.toml`` and ``runner.py``; a model is a card ``models/<id>.toml``, in the suite or in the user's own
folder. Nothing else lists them.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.catalog.devices import Accelerator, Cooldown, Device, read_device
from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.catalog.models import OWN, Model, read_model, user_models
from orchestrator.catalog.runtimes import Flavour, Option, Runtime, Tool, read_runtime
from orchestrator.domain import InferometerError
from orchestrator.plan import known

__all__ = [
    "OWN",
    "Accelerator",
    "Catalog",
    "Cooldown",
    "Device",
    "Fields",
    "Flavour",
    "Model",
    "Option",
    "Runtime",
    "Tool",
    "load_toml",
    "read_device",
    "read_model",
    "read_runtime",
    "suite_root",
    "user_models",
]


class Catalog:
    """Everything that is known, read on demand from the suite's folders and ``own``, the user's models."""

    def __init__(self, root: Path, release: str | None = None, own: Path | None = None):
        self.root, self.release, self.own = root, release, own

    def at(self, release: str | None) -> Catalog:
        """The same for a board with this L4T release."""
        return Catalog(self.root, release, self.own)

    def devices(self) -> dict[str, Device]:
        """All device profiles by id."""
        return {p.stem: read_device(p) for p in sorted((self.root / "orchestrator/devices").glob("*.toml"))}

    def runtimes(self) -> dict[str, Runtime]:
        """All runtimes by id."""
        paths = sorted((self.root / "runners").glob("*/runner.toml"))
        return {path.parent.name: read_runtime(path).at(self.release) for path in paths}

    def models(self) -> dict[str, Model]:
        """All model cards by id."""
        found = {path.stem: read_model(path) for path in sorted((self.root / "models").glob("*.toml"))}
        for path in sorted(self.own.glob("*.toml")) if self.own else ():
            if path.stem in found:
                raise InferometerError(
                    f"{path}: the suite has a model {path.stem} of its own; "
                    "rename this card and the folder beside it"
                )
            found[path.stem] = read_model(path)
        return found

    def device(self, name: str) -> Device:
        """One device. Raises InferometerError listing the known ids."""
        devices = self.devices()
        known("device", [name], list(devices))
        return devices[name]


def suite_root() -> Path:
    """The checkout that holds ``runners/``, ``models/`` and ``Dockerfiles/``."""
    return Path(__file__).resolve().parent.parent.parent

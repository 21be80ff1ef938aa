"""The only place that interprets ids: devices, runtimes and models as data found in folders.

A device is ``orchestrator/devices/<id>.toml``; a runtime is a folder ``runners/<id>/`` with
``runner.toml`` and ``runner.py``; a model is a card ``models/<id>.toml``, or with a data card
``models/data/<id>.toml`` an instance ``MODEL@DATA[~SCALE]``. Nothing else lists them.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.catalog.data import DataCard, DataFile, read_data
from orchestrator.catalog.devices import Accelerator, Cooldown, Device, read_device
from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.catalog.models import Model, instance, parts, read_model
from orchestrator.catalog.runtimes import Flavour, Option, Runtime, Tool, read_runtime
from orchestrator.catalog.variants import Technique, Variant, parse_variant, read_techniques
from orchestrator.plan import known

__all__ = [
    "Accelerator",
    "Catalog",
    "Cooldown",
    "DataCard",
    "DataFile",
    "Device",
    "Fields",
    "Flavour",
    "Model",
    "Option",
    "Runtime",
    "Technique",
    "Tool",
    "Variant",
    "load_toml",
    "parse_variant",
    "read_data",
    "read_device",
    "read_model",
    "read_runtime",
    "read_techniques",
    "suite_root",
]


class Catalog:
    """Everything that is known, read on demand from the suite's own folders."""

    def __init__(self, root: Path, release: str | None = None):
        self.root, self.release = root, release

    def at(self, release: str | None) -> Catalog:
        """The same for a board with this L4T release."""
        return Catalog(self.root, release)

    def devices(self) -> dict[str, Device]:
        """All device profiles by id."""
        return {p.stem: read_device(p) for p in sorted((self.root / "orchestrator/devices").glob("*.toml"))}

    def runtimes(self) -> dict[str, Runtime]:
        """All runtimes by id."""
        paths = sorted((self.root / "runners").glob("*/runner.toml"))
        return {path.parent.name: read_runtime(path).at(self.release) for path in paths}

    def techniques(self) -> dict[str, Technique]:
        """All techniques by code."""
        return read_techniques(self.root / "models/techniques/variants.toml")

    def models(self) -> dict[str, Model]:
        """All model cards by id."""
        techniques = self.techniques()
        paths = sorted((self.root / "models").glob("*.toml"))
        return {path.stem: read_model(path, techniques) for path in paths}

    def model(self, name: str) -> Model:
        """A card, or the instance of one that an id names. Raises InferometerError listing known ids.

        Data without a card may be somebody's own: whether it is there is not looked at here.
        """
        base, data, scale = parts(name)
        models = self.models()
        known("model", [base], list(models))
        if data is None:
            return models[base]
        card = self.root / "models/data" / f"{data}.toml"
        return instance(models[base], data, scale, card if card.exists() else None)

    def data(self) -> dict[str, DataCard]:
        """All data cards by id."""
        return {path.stem: read_data(path) for path in sorted((self.root / "models/data").glob("*.toml"))}

    def device(self, name: str) -> Device:
        """One device. Raises InferometerError listing the known ids."""
        devices = self.devices()
        known("device", [name], list(devices))
        return devices[name]


def suite_root() -> Path:
    """The checkout that holds ``runners/``, ``models/`` and ``Dockerfiles/``."""
    return Path(__file__).resolve().parent.parent.parent

"""Data cards: ``models/data/<id>.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.catalog.fields import Fields, load_toml
from orchestrator.domain import InferometerError


@dataclass(frozen=True)
class DataFile:
    """A file to download; unknown is None."""

    name: str
    url: str
    sha256: str | None
    md5: str | None
    bytes: int | None


@dataclass(frozen=True)
class DataCard:
    """What is said of a data set on the orchestrator's side; how it is read is the exporter's business."""

    id: str
    path: Path
    title: str
    loader: str
    classes: int
    licence: str
    homepage: str
    expects: str  # what must lie in its folder; empty for what is bundled
    files: tuple[DataFile, ...]

    @property
    def bundled(self) -> bool:
        """Whether the exporter's environment has it already."""
        return not self.expects


def read_data(path: Path) -> DataCard:
    """One data card."""
    fields = load_toml(path)
    return DataCard(
        path.stem,
        path,
        fields.get("title", str),
        fields.get("loader", str),
        fields.get("classes", int),
        fields.get("licence", str),
        fields.get("homepage", str),
        fields.get("expects", str, ""),
        tuple(_file(entry) for entry in fields.tables("files")),
    )


def _file(entry: Fields) -> DataFile:
    name = entry.get("name", str)
    if Path(name).name != name:
        raise InferometerError(
            f"{entry.path}: field {entry.prefix}name must be a bare file name, got {name!r}"
        )
    return DataFile(
        name,
        entry.get("url", str),
        entry.get("sha256", str, None),
        entry.get("md5", str, None),
        entry.get("bytes", int, None),
    )

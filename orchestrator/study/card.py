"""A study: models x variants x data x runtimes, a paper's layout and its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BASELINE = "nq"


@dataclass(frozen=True)
class Citation:
    """The paper; what of it is not at hand is None."""

    authors: tuple[str, ...]
    year: int | None
    title: str | None
    venue: str | None
    doi: str | None
    parts: str | None  # which of its tables or figures

    def __str__(self) -> str:
        year = f" ({self.year})" if self.year else ""
        words = [self.title or "title: not at hand", self.venue, f"doi:{self.doi}" if self.doi else None]
        head = f"{', '.join(self.authors)}{year}".rstrip(".")
        return ". ".join([head, *(word for word in words if word)])


@dataclass(frozen=True)
class Published:
    """One figure as its paper prints it; ``upper`` ends a range, ``relation`` is "", <, > or about."""

    metric: str
    model: str | None  # None: of all networks of the paper
    variant: str
    data: str | None
    value: float
    upper: float | None
    relation: str
    unit: str
    source: str  # where in the paper: "Table 5", "abstract"
    runtime: str | None
    device: str | None


@dataclass(frozen=True)
class Table:
    """One table of the paper: a row a variant, or a row a runtime and variant; a table a network."""

    title: str
    rows: str
    columns: tuple[str, ...]
    variants: tuple[str, ...]  # empty: all


@dataclass(frozen=True)
class Figure:
    """A bar chart of latencies of one network, one group of bars a runtime."""

    title: str
    model: str


@dataclass(frozen=True)
class Repeats:
    """A technique compared with a baseline over several seeds, network by network."""

    models: tuple[str, ...]
    variant: str
    against: str
    seeds: int


@dataclass(frozen=True)
class Smoke:
    """What a quick run of the whole way takes instead: bundled data, scaled-down networks."""

    models: tuple[str, ...]
    variants: tuple[str, ...]
    runtimes: tuple[str, ...]
    data: str
    seeds: int  # of repeated trainings; 0: none
    only: Mapping[str, tuple[str, ...]]  # runtime -> the variants it runs; a runtime not named runs all


@dataclass(frozen=True)
class Study:
    """Models x variants x data x runtimes, the paper's devices, its layout and its values."""

    id: str
    path: Path
    title: str
    citation: Citation
    models: tuple[str, ...]
    variants: tuple[str, ...]
    data: tuple[str, ...]  # empty: the models' own weights and inputs
    runtimes: tuple[str, ...]  # the first whose file was measured gives accuracy, size and memory
    devices: tuple[str, ...]  # of the paper
    options: tuple[tuple[str, str, tuple[str, ...]], ...]  # (runtime, option, values)
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    repeats: Repeats | None
    smoke: Smoke
    published: tuple[Published, ...]

    def need(self) -> str:
        """What a user types in where a published value is missing."""
        return f"published: not at hand; add it to {self.path.name} field published"

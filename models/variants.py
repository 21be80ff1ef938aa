"""A variant's code as the chain of techniques it names. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.card import Card, tomllib
from models.errors import ExportError

LIST = Path(__file__).parent / "techniques/variants.toml"
BASELINE = "nq"


@dataclass(frozen=True)
class Variant:
    """``modules`` change the network, from the left; ``last`` makes other files than the float ones."""

    code: str
    modules: tuple[str, ...]
    last: str | None
    last_kind: str | None  # file or training-export
    formats: tuple[str, ...]
    calibrates: bool  # `last` is shown inputs
    packages: tuple[str, ...]  # whose versions the manifest keeps

    @property
    def trains(self) -> bool:
        """Whether it needs data to train on."""
        return bool(self.modules) or self.last_kind == "training-export"


def parse(code: str, card: Card) -> Variant:
    """A variant of a card's model. Raises ExportError naming the code and what is wrong with it."""
    known: dict[str, dict[str, Any]] = tomllib.loads(LIST.read_text(encoding="utf-8"))
    chain: list[str] = []
    for name in code.split("-"):
        if name not in known:
            raise ExportError(f"variant {code}: there is no technique {name!r}; known: {', '.join(known)}")
        chain += known[name]["means"].split("-") if "means" in known[name] else [name]
    if len(chain) > 1 and BASELINE in chain:
        raise ExportError(f"variant {code}: {BASELINE} is the empty chain; leave it out")
    if len(set(chain)) < len(chain):
        raise ExportError(f"variant {code}: names a technique twice")
    early = [name for name in chain[:-1] if known[name]["kind"] != "module"]
    if early:
        raise ExportError(f"variant {code}: {early[0]} makes the files, so it stands last")
    kind = known[chain[-1]]["kind"]
    has_last = kind in ("file", "training-export")
    return Variant(
        code,
        tuple(name for name in chain if known[name]["kind"] == "module"),
        chain[-1] if has_last else None,
        kind if has_last else None,
        card.variants.get(code) or tuple(known[chain[-1] if has_last else BASELINE]["formats"]),
        known[chain[-1]].get("calibrates", False),
        tuple(package for name in chain for package in known[name].get("packages", ())),
    )

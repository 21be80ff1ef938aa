"""What one export is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import techniques
from models.card import Card
from models.errors import ExportError

if TYPE_CHECKING:
    from models.datasets.card import DataCard

Report = Callable[..., None]


@dataclass(frozen=True)
class Request:
    """One model id, many variants. ``card`` is the instance's where ``data_card`` names data."""

    card: Card
    variants: tuple[str, ...]
    batch: int
    seed: int
    out: Path  # gets <variant>/b<batch>/
    work: Path  # trained stages, kept between exports
    data_card: DataCard | None = None
    data: Path | None = None  # the folder with the data's files; None: they come with a package
    weights: Path | None = None  # a state dict with the SHA-256 of the card
    weights_missing: str | None = None  # why a pretrained card has none
    key: str | None = None  # the caller's mark of what the export was made from
    budget_s: float | None = None  # for all training together
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # technique -> settings

    def settings_of(self, code: str) -> dict[str, Any]:
        """A technique's defaults at the scale, under the card's settings and the request's.

        Raises ExportError for one it does not have.
        """
        found = techniques.defaults(code, self.card.scale)
        for where, given in ((self.card.path, self.card.settings), ("--set", self.settings)):
            for name, value in given.get(code, {}).items():
                if name not in found:
                    known = ", ".join(found) or "none"
                    raise ExportError(f"{where}: {code}.{name} is no setting of {code}; known: {known}")
                found[name] = value
        return found


def parse_settings(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``prn.sparsity=0.8`` by technique; values are JSON, or words. Raises ExportError."""
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        code, dot, setting = name.partition(".")
        if not (equals and dot and code and setting):
            raise ExportError(f"--set {text}: write CODE.SETTING=VALUE, as in prn.sparsity=0.8")
        try:
            given_value = json.loads(value)
        except ValueError:
            given_value = value
        found.setdefault(code, {})[setting] = given_value
    return found

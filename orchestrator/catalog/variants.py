"""What can be done to a model: ``models/techniques/variants.toml``, and the chains that codes name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.catalog.fields import load_toml
from orchestrator.domain import InferometerError

BASELINE = "nq"
_KINDS = ("baseline", "module", "training-export", "file")


@dataclass(frozen=True)
class Technique:
    """One step of a chain. ``kind`` says whether it changes the network or makes other files of it."""

    code: str
    title: str
    kind: str
    formats: tuple[str, ...] = ()
    means: str | None = None  # the chain this code is short for


@dataclass(frozen=True)
class Variant:
    """A chain of techniques; ``precision`` is what the files hold: the last step's code, or ``nq``."""

    code: str
    precision: str
    formats: tuple[str, ...]
    trains: bool  # needs data to train on


def read_techniques(path: Path) -> dict[str, Technique]:
    """All techniques by code. Raises InferometerError naming file and field."""
    fields = load_toml(path)
    found = {}
    for code in fields.data:
        entry = fields.table(code)
        means = entry.get("means", str, None)
        kind = "chain" if means else entry.get("kind", str)
        if not means and kind not in _KINDS:
            raise InferometerError(f"{path}: field {code}.kind must be one of {', '.join(_KINDS)}")
        found[code] = Technique(code, entry.get("title", str), kind, entry.strings("formats", []), means)
    return found


def parse_variant(code: str, techniques: Mapping[str, Technique]) -> Variant:
    """The variant of a code. Raises InferometerError saying what is wrong with it."""
    chain: list[Technique] = []
    for name in code.split("-"):
        if name not in techniques:
            raise InferometerError(
                f"variant {code!r}: there is no technique {name!r}; known: {', '.join(techniques)}, "
                "several joined by -"
            )
        means = techniques[name].means
        chain += [techniques[one] for one in means.split("-")] if means else [techniques[name]]
    codes = [step.code for step in chain]
    if len(chain) > 1 and BASELINE in codes:
        raise InferometerError(f"variant {code!r}: {BASELINE} is the empty chain; leave it out")
    if len(set(codes)) < len(codes):
        raise InferometerError(f"variant {code!r}: names a technique twice")
    early = [step.code for step in chain[:-1] if step.kind != "module"]
    if early:
        raise InferometerError(f"variant {code!r}: {early[0]} makes the files, so it stands last")
    last = chain[-1]
    makes_files = last.kind in ("file", "training-export")
    return Variant(
        code,
        last.code if makes_files else BASELINE,
        (last if makes_files else techniques[BASELINE]).formats,
        any(step.kind in ("module", "training-export") for step in chain),
    )

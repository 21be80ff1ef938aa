"""What carrying out a study takes, in order: an export a network, one bench over everything, the report."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orchestrator
from orchestrator.catalog import Catalog
from orchestrator.data import data_dir, ids
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file
from orchestrator.plan import known
from orchestrator.study.card import BASELINE, Repeats, Study

SMOKE = "smoke"
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Request:
    """What a user asked of a study; empty: all that the study names."""

    scale: str | None = None  # None: whole networks on the study's own data
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    device: str = ""
    budget_s: float | None = None
    engine: str = "auto"
    host: str | None = None  # ssh://user@board: bench there
    data: tuple[str, ...] = ()  # in place of the study's own


@dataclass(frozen=True)
class Step:
    """One export: a network id with its variants, all from one process; ``seed`` of its training."""

    model: str
    variants: tuple[str, ...]
    seed: int = 0


@dataclass(frozen=True)
class Way:
    """The whole way: exports, repeated trainings, what is benched."""

    study: Study
    scale: str | None
    data: tuple[str, ...]
    steps: tuple[Step, ...]
    repeated: tuple[Step, ...]  # the same networks trained from other seeds, for accuracies alone
    runtimes: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Network ids in the study's order."""
        return tuple(step.model for step in self.steps)

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants in the study's order."""
        return self.steps[0].variants

    def keys(self) -> list[tuple[str, str]]:
        """Every (network id, variant) of the tables."""
        return [(step.model, variant) for step in self.steps for variant in step.variants]

    def fingerprint(self) -> str:
        """Equal for the same way by the same version: what decides whether a study's folder goes on."""
        body = {
            "suite": orchestrator.__version__,
            "study": sha256_file(self.study.path),
            **{name: asdict(self)[name] for name in ("scale", "data", "steps", "repeated", "runtimes")},
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def way(study: Study, request: Request, catalog: Catalog) -> Way:
    """The way of a request. Raises InferometerError for names that the study or the catalog has not."""
    if request.scale not in (None, SMOKE):
        raise InferometerError(f"unknown scale {request.scale!r}; leave it out, or use {SMOKE}")
    small = request.scale == SMOKE
    models = study.smoke.models if small else study.models
    variants = study.smoke.variants if small else study.variants
    runtimes = study.smoke.runtimes if small else study.runtimes
    if small and request.data:
        raise InferometerError(f"--data: a smoke run is on {study.smoke.data}; leave one of the two out")
    data = (study.smoke.data,) if small else request.data or study.data
    if request.data:
        known("data", request.data, ids(catalog.root, data_dir()))
    known("runtime", runtimes, list(catalog.runtimes()))
    models = known(f"model of {study.id}", request.models, list(models)) or models
    runtimes = known(f"runtime of {study.id}", request.runtimes, list(runtimes)) or runtimes
    wanted = known(f"variant of {study.id}", request.variants, list(variants)) or variants
    variants = tuple(name for name in variants if name in wanted or name == BASELINE)
    networks = [instance(model, card, request.scale) for card in data or (None,) for model in models]
    repeats = study.repeats
    seeds = study.smoke.seeds if small else repeats.seeds if repeats else 0
    return Way(
        study,
        request.scale,
        data,
        tuple(Step(name, variants) for name in networks),
        _repeated(repeats, models, variants, data, request.scale, seeds) if repeats else (),
        runtimes,
    )


def _repeated(
    repeats: Repeats,
    models: Sequence[str],
    variants: Sequence[str],
    data: Sequence[str],
    scale: str | None,
    seeds: int,
) -> tuple[Step, ...]:
    pair = (repeats.against, repeats.variant)
    if not set(pair) <= set(variants):
        return ()
    chosen = [model for model in repeats.models if model in models]
    ids = [instance(model, card, scale) for card in data or (None,) for model in chosen]
    # Seed 0 is that of the tables: its exports are there already.
    return tuple(Step(name, pair, seed) for name in ids for seed in range(1, seeds))


def instance(model: str, data: str | None, scale: str | None) -> str:
    """``resnet50@cifar10~smoke``."""
    return model + (f"@{data}" if data else "") + (f"~{scale}" if scale else "")


def seconds(text: str) -> float:
    """``2h`` as seconds. Raises InferometerError unless it is a time from 1m to 30d."""
    match = _DURATION.fullmatch(text.strip())
    found = float(int(match[1]) * _UNITS_S[match[2]]) if match else 0.0
    if not 60 <= found <= 30 * 86400:
        raise InferometerError(f"{text[:40]!r}: give a budget from 1m to 30d in s, m, h or d, like 2h")
    return found


def lines(steps: Way) -> list[str]:
    """The way for people."""
    found = [f"export {step.model}: {', '.join(step.variants)}" for step in steps.steps]
    found += [
        f"train again {step.model}, seed {step.seed}: {', '.join(step.variants)}" for step in steps.repeated
    ]
    count = len(steps.keys())
    found.append(f"bench {count} networks and variants in {', '.join(steps.runtimes)}, then report")
    return found


def to_json(steps: Way) -> dict[str, Any]:
    """The way for programs, and in the folder's record."""
    return {
        "study": steps.study.id,
        "scale": steps.scale,
        "data": list(steps.data),
        "steps": [asdict(step) for step in steps.steps],
        "repeated": [asdict(step) for step in steps.repeated],
        "runtimes": list(steps.runtimes),
        "fingerprint": steps.fingerprint(),
    }


def without(steps: Way, failed: Sequence[tuple[str, str]]) -> Way:
    """The way less the variants that could not be made."""
    left = [
        replace(step, variants=tuple(v for v in step.variants if (step.model, v) not in failed))
        for step in steps.steps
    ]
    return replace(steps, steps=tuple(left))

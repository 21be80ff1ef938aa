"""What a results folder asks for when it is to be measured again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.cases import Order
from orchestrator.domain import Case, InferometerError, Trial, TrialRecord
from orchestrator.plan import Settings, Wish
from orchestrator.store import SUMMARY, Run
from orchestrator.verify.check import verify
from orchestrator.verify.manifest import is_later

_FIELDS = (
    "created_utc",
    *(f"identity.{name}" for name in ("device", "engine", "emulated", "forced", "runtimes", "suite")),
    *(f"plan.{name}" for name in ("wish", "settings", "trials")),
)


@dataclass(frozen=True)
class Original:
    """A run as it was planned and measured."""

    run: Run
    header: dict[str, Any]
    records: Sequence[TrialRecord]
    data_sha256: str | None  # None: the folder has no manifest

    @property
    def identity(self) -> dict[str, Any]:
        """Device, engine, runtimes, suite of then."""
        return dict(self.header["identity"])

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every planned launch in the order it ran."""
        planned = self.header["plan"]["trials"]
        return tuple(Trial(Case.from_json(item["case"]), item["launch"]) for item in planned)


def read(folder: Path) -> Original:
    """A run whose raw data is as it was written. Raises InferometerError naming what is not, or the field."""
    run = Run.open(folder)
    header = run.header(*_FIELDS)
    outcome = verify(folder)
    spoilt = [one for one in outcome.differences if one.path != SUMMARY and not is_later(one.path)]
    if spoilt:
        raise InferometerError(
            f"{folder}: {spoilt[0].path} {spoilt[0].what}; reproduce a whole copy (inferometer verify)"
        )
    if header["plan"]["wish"]["own"]:
        names = ", ".join(name for name, _ in header["plan"]["wish"]["own"])
        raise InferometerError(
            f"{folder} measured files of its owner's ({names}), which are not in it: "
            "bench the same files with --model and compare the two runs"
        )
    return Original(run, header, list(run.records()), outcome.data_sha256)


def order_of(original: Original, device: str, results: Path | None, host: str | None) -> Order:
    """The order that leads to the same trials on ``device``, as far as it has them."""
    plan, identity = original.header["plan"], original.identity
    try:
        wish = Wish(**{name: _tuples(value) for name, value in plan["wish"].items()})
        settings = Settings(**plan["settings"])
    except TypeError as problem:
        raise InferometerError(
            f"{original.run.folder / 'run.json'}: its plan has fields of another version ({problem}); "
            f"reproduce it with suite {identity['suite']}"
        ) from None
    trials = tuple(replace(trial, case=replace(trial.case, device=device)) for trial in original.trials)
    return Order(
        replace(wish, device=device),
        identity["engine"],
        quick=settings.quick,
        timeout_s=settings.timeout_s,  # longer windows have it lengthened already
        results=results,
        force=identity["forced"] is not None,
        emulate=identity["emulated"],
        host=host,
        settings=settings,
        tune=tuple(sorted(identity["tuned"].items())),
        trials=trials,
    )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value

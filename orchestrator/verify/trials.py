"""A record against its raw files: what follows from transcript and telemetry is computed once more."""

from __future__ import annotations

import json
from typing import Any

import orchestrator
from orchestrator import measurement, wire
from orchestrator.domain import TrialRecord
from orchestrator.execute import figures, joules
from orchestrator.migrations import SCHEMA
from orchestrator.store import Run
from orchestrator.verify.contrast import first_difference


def difference(run: Run, number: int, record: TrialRecord, asked_ns: int) -> str | None:
    """The first field of line ``number`` that its raw files do not give, or None.

    Scores, which need the artifact's reference, and what the machine said of itself are not among them.
    ``asked_ns``: the least length of the run's windows. Raises what damaged files make readers raise.
    """
    with (run.raw(number) / "transcript.jsonl").open("rb") as stream:
        transcript = wire.read(stream)
    lines = measurement.read_lines(run.raw(number) / "telemetry.jsonl")
    again = figures(transcript, lines, record.engine == "docker")
    again["energy"] = joules(transcript, lines, again["telemetry"], asked_ns)
    made = {name: getattr(TrialRecord(**{**vars(record), **again}), name) for name in again}
    stored = {name: getattr(record, name) for name in again}
    is_own = record.versions.get("suite") == orchestrator.__version__ and run.schema == SCHEMA
    return first_difference(_plain(stored), _plain(made), exact=is_own)


def _plain(fields: dict[str, Any]) -> Any:
    return json.loads(json.dumps(fields, default=vars))

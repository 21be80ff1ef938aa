"""What watching costs the watched: one more launch, in which telemetry reads and rests by turns."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import measurement, wire
from orchestrator.domain import Status, Trial, TrialRecord
from orchestrator.engines.launch import Target
from orchestrator.execute import Conditions, Load, execute
from orchestrator.files import sync_folder, write_atomic
from orchestrator.plan import observed
from orchestrator.statistics import turns
from orchestrator.store import launch_beside

FOLDER = "observer"  # below a results folder
# A shift of this part that chance does not explain is a finding (docs/adr/0013-observer-effect.md).
LIMIT = 0.01
_USUAL_NS = 1_000_000  # an inference of about this length fills blocks well and is not over before a reading


def choose(records: Iterable[TrialRecord]) -> TrialRecord | None:
    """The trial whose case is launched once more: a good one of about a millisecond, if there is one."""
    good = [record for record in records if record.status is Status.OK and record.latency]

    def distance(record: TrialRecord) -> float:
        assert record.latency
        return abs(math.log(max(1.0, record.latency.p50_ns) / _USUAL_NS))

    return min(good, key=distance, default=None)


def observe(trial: Trial, load: Load, target: Target, conditions: Conditions, folder: Path) -> None:
    """Launch, and leave the raw files and ``result.json`` in ``folder`` (below a results folder).

    What an interrupted call left there is removed first.
    """
    if not conditions.watch:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asked = conditions.settings
    settings = observed(asked)
    watch = replace(conditions.watch, block_s=asked.observer_block_ns / 1e9)
    record = execute(trial, load, target, replace(conditions, settings=settings, watch=watch), folder)
    result = {"case": trial.case.to_json(), "failure": record.reason, "files": dict(record.files)}
    write_atomic(folder / "result.json", json.dumps(result, indent=1).encode() + b"\n")
    sync_folder(folder.parent)


def effect(folder: Path) -> dict[str, Any] | None:
    """What the launch in ``folder`` shows, computed from its raw files; None where none was made.

    ``{case, rounds, on_ns, off_ns, shift, low, high, reason}``: medians with telemetry reading and resting,
    the relative shift between them with its 95 % interval; figures are None where ``reason`` says why.
    Raises InferometerError for a damaged ``result.json``.
    """
    if not (folder / "result.json").exists():
        return None
    result = launch_beside(folder, {"case": dict})
    try:
        with (folder / "transcript.jsonl").open("rb") as stream:
            transcript = wire.read(stream)
    except (OSError, ValueError):
        return None
    found = result["failure"] or _shift(transcript, measurement.read_lines(folder / "telemetry.jsonl"))
    figures: dict[str, Any] = dict.fromkeys(("rounds", "on_ns", "off_ns", "shift", "low", "high"))
    if isinstance(found, turns.Shift):
        figures = {
            "rounds": found.rounds,
            "on_ns": found.a_ns,
            "off_ns": found.b_ns,
            "shift": found.shift,
            "low": found.low,
            "high": found.high,
        }
    return {"case": result["case"], **figures, "reason": found if isinstance(found, str) else None}


def _shift(transcript: wire.Transcript, lines: list[dict[str, Any]]) -> turns.Shift | str:
    window, values = transcript.window("measure"), transcript.latencies_ns.get("measure")
    clock: Mapping[str, Any] = next((line for line in lines if line.get("type") == "clock"), {})
    refused = measurement.align((transcript.hello or {}).get("clock", {}), clock)
    if not window or not values or refused:
        return refused or "the window was not reached"
    edges = [(line["number"], line["t_ns"]) for line in lines if line.get("type") == "block"]
    return turns.shift(turns.blocks(values, window, edges))


def too_large(found: Mapping[str, Any] | None) -> str | None:
    """What the finding says, where the shift is beyond the limit and not chance; else None."""
    if not found or found["shift"] is None or abs(found["shift"]) <= LIMIT:
        return None
    if found["low"] <= 0 <= found["high"]:
        return None
    return (
        f"reading telemetry shifts the median latency by {found['shift']:+.1%} "
        f"({found['low']:+.1%} to {found['high']:+.1%})"
    )

"""The curve of one long window, from the raw data of its launch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator import measurement, wire
from orchestrator.domain import Sustained, TrialRecord
from orchestrator.energy import power_course
from orchestrator.statistics.sustained import MINUTE_NS, minutes_of, sustained

_UNITS = frozenset({"hz", "c", "w", "j"})


def course(
    record: TrialRecord,
    transcript: wire.Transcript,
    telemetry: Path,
    asked_ns: int,
    minute_ns: int = MINUTE_NS,
) -> Sustained | None:
    """Latency, clock, temperature and power minute by minute; None where the window was not closed.

    ``telemetry``: the launch's ``telemetry.jsonl``, of which only the readings that are needed are kept in
    memory. Where it has no common clock with the runner the reason stands in place of its readings.
    """
    window = transcript.window("measure")
    if window is None:
        return None
    refused = record.telemetry.get(measurement.PROGRAM, {}).get("reason")
    lines = [] if refused else measurement.read_lines(telemetry, _UNITS)
    values = transcript.latencies("measure")
    found = sustained(values, window, lines, record.case.accelerator, asked_ns, minute_ns)
    if refused:
        return replace(found, clock_reason=refused, temperature_reason=refused)
    return replace(found, power=power_course(lines, minutes_of(window, minute_ns)))

"""What the messages of launches beside the trials must hold: ``probe`` and ``loadgen``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.wire.fields import (
    MAX_COUNT,
    Violation,
    brief,
    durations,
    integer,
    listing,
    string,
    strings,
    table,
)

PROBED = ("compute", "memory")  # what a probe measures: series of repetitions each


def check_probe(message: Mapping[str, Any]) -> None:
    """Raises Violation where a ``probe`` is not as PROTOCOL.md section 5 says."""
    integer(message, "threads")
    string(message, "method")
    listing(message, "notes", (str,))
    reasons = table(message, "reasons")
    for name in PROBED:
        series = listing(message, name, (dict,))
        for one in series:
            part = {**one, "type": f"probe.{name}"}
            string(part, "kernel")
            if not integer(part, "count") or not all(durations(part) or [0]):
                raise Violation(f"probe.{name}: {brief(one['kernel'])} takes no operations, or no time")
        if not series and not isinstance(reasons.get(name), str):
            raise Violation(f"probe.{name} is empty and reasons does not say why")


def check_loadgen(message: Mapping[str, Any]) -> None:
    """Raises Violation where a ``loadgen`` is not as PROTOCOL.md section 7 says."""
    strings(message, "scenario", "summary", "detail")
    if message.get("version") is not None:
        string(message, "version")
    for name, value in table(message, "settings").items():
        # Infinity comes of 1e999, which is JSON.
        if type(value) not in (int, float) or not abs(value) < MAX_COUNT:
            raise Violation(f"loadgen.settings: {brief(name)} must be a number, got {brief(value)}")

"""What jetson-stats (jtop) knows of this machine or of a board, asked for under a deadline."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.engines import observer, remote_program
from orchestrator.engines.ssh import Broken, Link

DEADLINE_S = 15.0
# Its service reads the sensors on for so long after its last client has left: three seconds without a word
# from one, and the pass over the sensors that was under way.
LINGERS_S = 4.0
_FIELDS = (
    "client",
    "service",
    "hardware",
    "nvpmodel",
    "jetson_clocks",
    "power",
    "temperature_c",
    "ram_bytes",
)
_LATE_S = 5.0  # the program keeps the deadline; this is for starting it and for the way


def facts(link: Link | None = None, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
    """The ``jtop`` object of the telemetry program (``FIELDS`` of its jtop_facts.py), of the board behind
    ``link`` or of this machine.

    Never raises; without an answer ``reason``, ``said`` and ``fix`` tell why. Takes ``deadline_s`` and a
    few seconds at most. Never call it less than ``LINGERS_S`` before a measurement, or within one.
    """
    words = ["--jtop", "--deadline", f"{deadline_s:g}"]
    limit_s = deadline_s + _LATE_S
    try:
        if link:
            said = _there(link, words, limit_s)
        else:
            command = [sys.executable, *observer.PYTHON_OPTIONS, str(observer.PROGRAM), *words]
            said = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s
            ).stdout
    except (Broken, subprocess.TimeoutExpired) as problem:
        return _nothing("timeout", str(problem))
    except (InferometerError, OSError) as problem:
        return _nothing("io_error", str(problem))
    try:
        told = json.loads(said)
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("type") != "jtop":
        return _nothing("parse", said.decode("utf-8", "replace")[:200])
    return told


def _there(link: Link, words: list[str], limit_s: float) -> bytes:
    until = time.monotonic() + limit_s
    program = remote_program.bring(link, limit_s)
    command = " ".join(map(shlex.quote, ["python3", *observer.PYTHON_OPTIONS, program, *words]))
    return link.run(command, timeout_s=max(1.0, until - time.monotonic()))


def _nothing(reason: str, said: str) -> dict[str, Any]:
    """As the program's own object without an answer."""
    nothing: dict[str, Any] = dict.fromkeys(_FIELDS)
    reasons = dict.fromkeys(_FIELDS, reason)
    return {"type": "jtop", "reason": reason, "said": said, "fix": None, **nothing, "reasons": reasons}

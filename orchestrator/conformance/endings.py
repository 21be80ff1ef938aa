"""Clauses that take force: SIGTERM in the window, megabytes on standard error."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.conformance.launches import Launches, NotProvoked
from orchestrator.conformance.scenarios import EVERYTHING
from orchestrator.conformance.witness import GONE_WITHIN_S

_FLOOD_BYTES = 10_000_000


def gone(launches: Launches) -> Iterator[str]:
    """C6: gone within 5 s of SIGTERM, in a container below an init."""
    yield from _gone(launches, "run ended by SIGTERM")


def gone_as_first(launches: Launches) -> Iterator[str]:
    """C6: as PID 1 too, for which the kernel drops every signal without a handler."""
    if launches.subject.engine.name != "docker":
        raise NotProvoked("a process is PID 1 in a container only; check its image, or use --engine docker")
    yield from _gone(launches, "run as PID 1 ended by SIGTERM")


def _gone(launches: Launches, name: str) -> Iterator[str]:
    evidence = launches.take(name)  # also of a run that never finishes: it must go all the same
    if evidence.signalled_ns is None:
        raise NotProvoked(f"`{name}` was over before the signal: {evidence.ending}")
    took_s = (evidence.outcome.ended_ns - evidence.signalled_ns) / 1e9
    if evidence.outcome.timed_out or took_s > GONE_WITHIN_S:
        yield f"{name}: still there {GONE_WITHIN_S:g} s after SIGTERM"


def unblocked(launches: Launches) -> Iterator[str]:
    """C4: 10 MB on standard error do not block. They are provoked from glibc's loader (LD_DEBUG)."""
    launches.finished("run")
    evidence = None
    for name in ("run with a flood of stderr", "run with a greater flood of stderr"):
        evidence = launches.take(name)
        if not evidence.finished:
            yield f"{name}: {evidence.ending}, after {evidence.stderr_bytes} bytes of stderr"
            return
        if evidence.stderr_bytes >= _FLOOD_BYTES:
            return
    assert evidence
    asked = " ".join(f"{key}={value}" for key, value in EVERYTHING.items())
    raise NotProvoked(f"with {asked} it wrote {evidence.stderr_bytes} bytes, less than 10 MB, and finished")

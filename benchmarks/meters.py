"""Our telemetry beside codecarbon and zeus on this very machine: what each takes, and what it says.

Each for 20 s beside nothing, one after another, as a process of its own: ours with the sources of this
machine's profile at their rates (power ten times a second where there is any), codecarbon asked once a second
instead of its 15 s, zeus in one window of its monitor, in which it reads at both ends alone and so takes
nothing meanwhile: beside it stands memory alone. Processor time counts from where each is ready, memory is
the most of the whole process. Where the machine has no sensor of power, the notes quote what each makes of
that.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.entry import PROGRAMS
from benchmarks.figure import Figure
from benchmarks.peer import PeerAbsent, python
from benchmarks.place import Place
from benchmarks.watching import Cost, watch
from orchestrator.domain import InferometerError
from orchestrator.energy import is_power

FIGURES = ("codecarbon_cpu", "codecarbon_memory", "zeus_memory")
SECONDS = 20.0


def measure(place: Place) -> Iterator[Figure]:
    """The three."""
    sources = place.device.sources
    ours = watch(SECONDS, sources)
    answer = f"ours says: {said(ours, sources)}"
    try:
        interpreter = python(place.cache, "meters")
    except PeerAbsent as problem:
        peers: dict[str, Mapping[str, Any]] = {}
        reason = f"peer absent: {problem}"
    else:
        peers = {name: _peer(str(interpreter), name) for name in ("codecarbon", "zeus")}
        reason = ""
    for figure, unit, mine, field, scale in (
        (FIGURES[0], "%", 100 * ours.share, "share", 100.0),
        (FIGURES[1], "MB", ours.resident_bytes / 1e6, "resident_bytes", 1e-6),
        (FIGURES[2], "MB", ours.resident_bytes / 1e6, "resident_bytes", 1e-6),
    ):
        peer = peers.get(figure.partition("_")[0])
        theirs = peer[field] * scale if peer else None
        quoted = f"peer says: {'; '.join(peer['said'])}" if peer else reason
        note = f"{answer}; {quoted}" if figure != FIGURES[1] else reason
        yield Figure(figure, unit, mine, theirs, "< peer", None if theirs is None else mine < theirs, note)


def said(cost: Cost, sources: tuple[str, ...]) -> str:
    """What our power sources told at last: a value with its unit, or the reason for having none."""
    families = {source.partition("@")[0].partition("=")[0] for source in sources if is_power(source)}
    told = [
        f"{name} {line['reason'] or format(line['value'], 'g') + ' ' + line['unit'].upper()}"
        for name, line in sorted(cost.readings.items())
        if name.partition(".")[0] in families and line["unit"] in ("w", "j")
    ]
    return ", ".join(told)


def _peer(interpreter: str, name: str) -> Mapping[str, Any]:
    words = [interpreter, str(PROGRAMS / f"idle_{name}.py"), f"{SECONDS:g}"]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise InferometerError(f"{name} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found

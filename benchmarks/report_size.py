"""Reporting a large run (1,000 cases x 5 launches x 1,000 iterations): time and memory.

``report_time`` is the whole command ``inferometer report``, start-up included: every raw file checked by its
hash, every figure computed again, the page and all tables written and the table printed. Its peer parses the
same records and transcripts with the same JSON library and keeps nothing. ``report_memory`` is the command's
peak.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.place import Place, scratch
from benchmarks.result_folder import write
from orchestrator.domain import InferometerError

FIGURES = ("report_time", "report_memory")
CASES, LAUNCHES, ITERATIONS = 1000, 5, 1000
LIMIT_S, LIMIT_MB = 20.0, 1000.0
_PROGRAMS = Path(__file__).parent / "programs"


def measure(place: Place) -> Iterator[Figure]:
    """Both figures from one run of the command."""
    with scratch() as parent:
        folder = parent / "run"
        place.watcher.say(f"a results folder of {CASES * LAUNCHES} launches is being made")
        write(folder, CASES, LAUNCHES, ITERATIONS)
        raw = sorted(folder.glob("raw/*/transcript.jsonl"))
        files = "\n".join(map(str, [folder / "trials.jsonl", *raw]))
        peer, _ = _run([sys.executable, str(_PROGRAMS / "json_lines.py")], place, files)
        peak = [sys.executable, str(_PROGRAMS / "peak.py"), place.command[-1]]
        seconds, log = _run([*peak, "report", str(folder)], place)
    note = f"peer: its lines parsed unseen; {CASES} cases x {LAUNCHES} launches x {ITERATIONS} iterations"
    yield Figure(FIGURES[0], "s", seconds, peer, f"<= {LIMIT_S:g} s", seconds <= LIMIT_S, note)
    peak_mb = int(log.split()[-1]) * 1024 / 1e6
    yield Figure(
        FIGURES[1], "MB", peak_mb, None, f"<= {LIMIT_MB:g} MB", peak_mb <= LIMIT_MB, "peak of the same"
    )


def _run(words: Sequence[str], place: Place, given: str = "") -> tuple[float, str]:
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(place.root)}
    done = subprocess.run(
        words, input=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise InferometerError(f"{' '.join(words[:4])} ...: {done.stderr.strip()[-300:]}")
    return seconds, done.stderr

"""Merging the summaries of 100,000 trials (20 machines x 1000 cases x 5 launches): time and memory.

``merge_time`` is the whole command ``inferometer merge``, start-up included. Its peer reads the same files
with the same JSON library and writes their cases to one file unseen: the floor for anything that checks
them. ``merge_memory`` compares the peak memory for twice the files (our figure) with that for the files
(the peer): it is bounded when twice as much needs next to nothing more. Start-up of the command is in both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure
from benchmarks.merge_documents import write_folders
from benchmarks.place import Place, scratch
from orchestrator.domain import InferometerError

FIGURES = ("merge_time", "merge_memory")
DEVICES, CASES = 20, 1000
LIMIT_S, GROWTH_LIMIT = 10.0, 1.25
REPEATS = 3
_PROGRAMS = Path(__file__).parent / "programs"


def measure(place: Place) -> Iterator[Figure]:
    """Both figures from the same files."""
    ours, peers = [], []
    with scratch() as parent:
        folders = list(write_folders(parent, 2 * DEVICES, CASES))
        files = [str(folder / "summary.json") for folder in folders[:DEVICES]]
        out, copy = str(parent / "out"), str(parent / "copy")
        for _ in range(REPEATS):
            seconds, once = _merge(place, folders[:DEVICES], out)
            ours.append(seconds)
            peers.append(_run([sys.executable, str(_PROGRAMS / "json_copy.py"), copy, *files], place)[0])
        _, twice = _merge(place, folders, out)
    mine = median(ours)
    note = f"peer: the same JSON read and written unseen; {DEVICES * CASES} cases of 5 launches"
    yield Figure(FIGURES[0], "s", mine, median(peers), f"<= {LIMIT_S:g} s", mine <= LIMIT_S, note)
    bounded = twice <= GROWTH_LIMIT * once
    limit = f"ratio <= {GROWTH_LIMIT}"
    yield Figure(
        FIGURES[1], "MB", twice, once, limit, bounded, "peak for twice the files; peer: for the files"
    )


def _merge(place: Place, folders: Sequence[Path], out: str) -> tuple[float, float]:
    """Seconds, and peak resident memory in MB."""
    words = ["merge", *map(str, folders), "--out", out]
    peak = [sys.executable, str(_PROGRAMS / "peak.py"), place.command[-1]]
    seconds, log = _run([*peak, *words], place)
    return seconds, int(log.split()[-1]) * 1024 / 1e6


def _run(words: Sequence[str], place: Place) -> tuple[float, str]:
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(place.root)}
    done = subprocess.run(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise InferometerError(f"{' '.join(words[:4])} ...: {done.stderr.strip()[-300:]}")
    return seconds, done.stderr

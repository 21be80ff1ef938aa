"""How long ``inferometer --help`` takes, beside the interpreter alone (``python -c pass``).

Both are fresh processes of one virtual environment, in turns, after one start each that fills the file
caches; the median of ten. The peer is the floor under any program written in Python.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure
from benchmarks.place import Place
from orchestrator.domain import InferometerError

FIGURES = ("help_time",)
LIMIT_S = 0.3
REPEATS = 10


def measure(place: Place) -> Iterator[Figure]:
    """The one figure."""
    help_, bare = help_words(place), [sys.executable, "-c", "pass"]
    seconds(help_), seconds(bare)
    ours, peers = [], []
    for _ in range(REPEATS):
        ours.append(seconds(help_))
        peers.append(seconds(bare))
    mine = median(ours)
    yield Figure(
        FIGURES[0], "s", mine, median(peers), f"<= {LIMIT_S} s", mine <= LIMIT_S, "peer: python -c pass"
    )


def help_words(place: Place) -> list[str]:
    """``inferometer --help``, by the installed command where there is one."""
    program = Path(sys.executable).parent / "inferometer"
    return [*([str(program)] if program.exists() else place.command), "--help"]


def seconds(words: Sequence[str]) -> float:
    """The time of a fresh process. Raises InferometerError with its last line where it fails."""
    start = time.perf_counter()
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    spent = time.perf_counter() - start
    if done.returncode:
        last = done.stderr.splitlines()[-1:]
        raise InferometerError(f"{' '.join(words)}: exit status {done.returncode}: {''.join(last)}")
    return spent

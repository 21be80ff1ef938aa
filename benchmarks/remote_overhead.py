"""What a trial on a board reached over ssh takes beyond the same trial here.

The board is this machine: a second Docker Engine behind a real sshd, over loopback, so that network and
processor are the same and what remains is what the way there costs. Wall time of whole trials as a session
runs them, by turns; medians. One trial of each came before: image and artifact lie there, as they do from
the second trial of a bench on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from orchestrator.choices import board_engine, reach
from orchestrator.domain import InferometerError, Status
from orchestrator.engines.launch import Target
from orchestrator.execute import Conditions, Load, execute
from orchestrator.plan import QUICK
from tests.support import boards

FIGURES = ("remote_overhead",)
RUNTIME, MODEL, FORMAT = "onnxruntime", "digits-cnn", "onnx"
LIMIT_S = 1.0
LIMIT_TEXT = f"<= peer + {LIMIT_S:g} s"
REPEATS = 7


def measure(place: Place) -> Iterator[Figure]:
    """The one figure."""
    load = place.load(MODEL, FORMAT)
    reason = boards.missing() or (None if load else f"{MODEL} is not there")
    if load is None or reason or place.engine.name != "docker":
        yield absent(FIGURES[0], LIMIT_TEXT, reason or "no Docker Engine answers here")
        return
    here, there = [], []
    with scratch() as folder, _board(folder) as address, reach(address) as (board, link):
        assert link
        engine = board_engine(place.root, place.cache, "here", place.device, link, place.watcher)
        local = place.conditions(replace(QUICK, launches=1))
        remote = replace(local, engine=engine, place=board)
        target = engine.prepare(place.catalog.runtimes()[RUNTIME], place.watcher.say)
        with place.alone():
            for _ in range(1 + REPEATS):
                here.append(_seconds(place, load, place.target(RUNTIME), local))
                there.append(_seconds(place, load, target, remote))
    ours, theirs = median(there[1:]), median(here[1:])
    note = f"peer: the same trial here; {RUNTIME}, {MODEL}, a second engine over loopback ssh"
    yield Figure(FIGURES[0], "s", ours, theirs, LIMIT_TEXT, ours <= theirs + LIMIT_S, note)


@contextmanager
def _board(folder: Path) -> Iterator[str]:
    """Its address, while ``ssh`` on PATH leads to it."""
    before = os.environ["PATH"]
    with boards.board(folder) as made:
        os.environ["PATH"] = made.environment()["PATH"]
        try:
            yield made.address
        finally:
            os.environ["PATH"] = before


def _seconds(place: Place, load: Load, target: Target, conditions: Conditions) -> float:
    with scratch() as raw:
        start = time.perf_counter()
        record = execute(place.trial(RUNTIME, load), load, target, conditions, raw)
        seconds = time.perf_counter() - start
    if record.status is not Status.OK:
        raise InferometerError(f"the trial: {record.reason}")
    return seconds

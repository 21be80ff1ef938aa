"""How long a whole ``inferometer bench`` takes where all it needs is there, and how soon it measures.

``quick_bench``: the wall time of ``bench --models digits-cnn --quick``, from the start of its process to
the end, every default runtime in it. One untimed bench of a launch a case comes before and makes images or
environments and what is compiled. The peer is the sum of the phases that the runners of the same bench
report: loading, warming up and measuring are the task itself, which no harness could save.
``bench_start``: from the start of a bench of the default models to the start of its first trial, which is
when the trial's request was written; then the bench is interrupted. One untimed start comes before: what is
timed is whether a second bench finds everything made. Nothing is exported here: where a default model is
not, it is a bench of digits-cnn, whose artifacts the checkout ships. The peer is ``inferometer --help``, in
turns with it: the floor under any command of this program. Medians. Results go where nothing is resumed, and
each bench holds the machine itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure
from benchmarks.help_time import help_words, seconds
from benchmarks.place import Place, scratch
from orchestrator import artifacts
from orchestrator.domain import InferometerError, TrialRecord
from orchestrator.store import Run

FIGURES = ("quick_bench", "bench_start")
MODEL = "digits-cnn"
QUICK_WORDS = ("--models", MODEL, "--quick")
QUICK_LIMIT_S, START_LIMIT_S = 60.0, 10.0
STARTS = 3
LOOK_S, END_S = 0.02, 30.0
INTERRUPTED = 130


def measure(place: Place) -> Iterator[Figure]:
    """Both figures, each from benches of its own."""
    whole(place, [*QUICK_WORDS, "--launches", "1"])
    ours, records = whole(place, QUICK_WORDS)
    note = f"peer: the runners' phases; {len(records)} trials, {MODEL}, engine {records[0].engine}"
    limit = f"<= {QUICK_LIMIT_S:g} s"
    yield Figure(FIGURES[0], "s", ours, phases_s(records), limit, ours <= QUICK_LIMIT_S, note)

    missing = unexported(place)
    words = wish(missing)
    which = f"{MODEL} alone: {', '.join(missing)} not exported" if missing else "the default models"
    start_s(place, words), seconds(help_words(place))
    starts, peers = [], []
    for _ in range(STARTS):
        starts.append(start_s(place, words))
        peers.append(seconds(help_words(place)))
    mine = median(starts)
    spread = f"{min(starts):.2f} to {max(starts):.2f} s"
    note = f"peer: inferometer --help; {which}, {STARTS} starts of {spread}, engine {place.engine.name}"
    limit = f"<= {START_LIMIT_S:g} s"
    yield Figure(FIGURES[1], "s", mine, median(peers), limit, mine <= START_LIMIT_S, note)


def unexported(place: Place) -> list[str]:
    """The default models that a bench would have to export first."""
    models = [model for model in place.catalog.models().values() if model.default]
    return [model.id for model in models if not artifacts.is_current(place.root, place.cache, model, "nq", 1)]


def wish(missing: Sequence[str]) -> tuple[str, ...]:
    """Options of a bench of the default models, or of the one that is always there."""
    return ("--models", MODEL) if missing else ()


def phases_s(records: Iterable[TrialRecord]) -> float:
    """What the runners of all trials report, in seconds."""
    return sum(sum(record.phases_ns.values()) for record in records) / 1e9


def whole(place: Place, words: Sequence[str]) -> tuple[float, list[TrialRecord]]:
    """Wall time and trials of a bench. Raises InferometerError unless all of them are valid."""
    with scratch() as folder:
        start = time.perf_counter()
        with _bench(place, words, folder) as child:
            child.wait()
            spent = time.perf_counter() - start
        _expect(child, 0, folder)
        return spent, list(Run.open(folder / "results").records())


def start_s(place: Place, words: Sequence[str]) -> float:
    """From the start of a bench to its first trial's. Raises InferometerError where there is none."""
    with scratch() as folder:
        request = folder / "results" / "raw" / "00000" / "request.json"
        start_ns = time.time_ns()
        with _bench(place, words, folder) as child:
            while child.poll() is None and not request.exists():
                time.sleep(LOOK_S)
        _expect(child, INTERRUPTED, folder)
        return (request.stat().st_mtime_ns - start_ns) / 1e9


@contextmanager
def _bench(place: Place, words: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A bench into a folder; afterwards it has ended, interrupted where it was not done."""
    command = [*place.command, "bench", *words, "--results", str(folder / "results")]
    environment = {**os.environ, "PYTHONPATH": str(place.root)}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGINT)  # nothing where it has ended
            try:
                child.wait(END_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _expect(child: subprocess.Popen[bytes], code: int, folder: Path) -> None:
    if child.returncode != code:
        last = (folder / "log").read_text("utf-8", "replace").strip()[-300:]
        raise InferometerError(f"the bench ended with {child.returncode}, not {code}: {last}")

"""What the orchestrator and its telemetry cost while a runner measures: processor time and memory.

A whole ``inferometer bench`` of one case, five launches, as anybody runs it. ``observer_cpu``: the
processor time of the bench and of its telemetry process by the scheduler's own count in ns, watched from
here, from the last look before a measure window to the first one after it, over the length of the window;
the largest of the windows. The looks bracket the window, so a little of what is outside counts as well.
No peer: one that watches nothing costs nothing. ``observer_memory``: the resident memory of both, shared
pages counted twice, the largest of all looks while a runner lived; then both wait, so that looks miss no
peak. What the bench takes after its last launch, to summarise, disturbs no runner: it is in the note, by its
own ``VmHWM``. The peer is two bare interpreters.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.figure import Figure
from benchmarks.place import Place, scratch
from orchestrator import wire
from orchestrator.domain import InferometerError
from orchestrator.store import Run

FIGURES = ("observer_cpu", "observer_memory")
RUNTIME, MODEL = "onnxruntime", "digits-cnn"
CPU_LIMIT, MEMORY_LIMIT_MB = 0.01, 80.0
LOOK_S = 0.05
_PEAK = str(Path(__file__).parent / "programs" / "peak.py")


@dataclass(frozen=True)
class Look:
    """What was read between two times of CLOCK_MONOTONIC in ns."""

    before_ns: int
    after_ns: int
    cpu_ns: Mapping[int, int]  # by pid
    resident_bytes: int = 0  # of bench and telemetry; 0 while no runner lives


def measure(place: Place) -> Iterator[Figure]:
    """Both figures from one bench."""
    place.target(RUNTIME)  # built now, so that the bench below does not
    with scratch() as folder:
        looks, peak_mb = _bench(place, folder)
        windows = _windows(folder / "results")
    shares = [share(looks, window) for window in windows]
    shortest_s = min(end - start for start, end in windows) / 1e9
    which = f"largest of {len(shares)} windows of {shortest_s:.1f} s or more"
    note = f"of one core, {which}; no peer; {RUNTIME}, {MODEL}"
    largest = max(shares)
    limit = f"<= {100 * CPU_LIMIT:g} %"
    yield Figure(FIGURES[0], "%", 100 * largest, None, limit, largest <= CPU_LIMIT, note)
    bare = _peak_mb(subprocess.run(_words("keyword"), capture_output=True, text=True, check=True).stderr)
    total = max(look.resident_bytes for look in looks) / 1e6
    note = (
        f"while a runner lives; to summarise, the bench takes {peak_mb:.0f} MB; peer: two bare interpreters"
    )
    limit = f"<= {MEMORY_LIMIT_MB:g} MB"
    yield Figure(FIGURES[1], "MB", total, 2 * bare, limit, total <= MEMORY_LIMIT_MB, note)


def share(looks: Sequence[Look], window: tuple[int, int]) -> float:
    """Processor time over time, of the looks that bracket the window; a process that ended keeps its last."""
    first = max(number for number, look in enumerate(looks) if look.after_ns <= window[0])
    last = min(number for number, look in enumerate(looks) if look.before_ns >= window[1])
    spent: dict[int, int] = {}
    for look in looks[first : last + 1]:
        for pid, cpu_ns in look.cpu_ns.items():
            spent[pid] = cpu_ns - looks[first].cpu_ns.get(pid, 0)
    return sum(spent.values()) / (window[1] - window[0])


def _words(module: str) -> list[str]:
    return [sys.executable, _PEAK, module]


def _bench(place: Place, folder: Path) -> tuple[list[Look], float]:
    """Looks while the bench runs, and its peak memory in MB."""
    wish = ["--models", MODEL, "--runtimes", RUNTIME, "--threads", "1", "--engine", place.engine.name]
    words = [*_words(place.command[-1]), "bench", *wish, "--results", str(folder / "results")]
    environment = {**os.environ, "PYTHONPATH": str(place.root)}
    log, looks = folder / "log", []
    with log.open("wb") as stream:
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stream, env=environment)
        try:
            while child.poll() is None:
                looks.append(_look(psutil.Process(child.pid)))
                time.sleep(LOOK_S)
        finally:
            child.kill()
            child.wait()
    text = log.read_text()
    if child.returncode != 0:
        raise InferometerError(f"the bench ended with {child.returncode}: {text.strip()[-300:]}")
    return looks, _peak_mb(text)


def _look(bench: psutil.Process) -> Look:
    before_ns, spent, resident = time.monotonic_ns(), {}, 0
    with contextlib.suppress(psutil.Error, OSError):
        # Its other child is the runner itself, under the process engine.
        children = [child for child in bench.children() if "--interval" in child.cmdline()]
        for pid in [bench.pid, *(child.pid for child in children)]:
            spent[pid] = _cpu_ns(pid)
        watching = [bench, *children] if children else []
        resident = sum(process.memory_info().rss for process in watching)
    return Look(before_ns, time.monotonic_ns(), spent, resident)


def _cpu_ns(pid: int) -> int:
    # Threads that end meanwhile would be missing; neither process ends any inside a window.
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


def _peak_mb(log: str) -> float:
    return int(log.split()[-1]) * 1024 / 1e6


def _windows(results: Path) -> list[tuple[int, int]]:
    """The measure windows of the launches."""
    run = Run.open(results)
    found = []
    for number, _ in enumerate(run.records()):
        with (run.raw(number) / "transcript.jsonl").open("rb") as stream:
            found.append(wire.read(stream).window("measure"))
    windows = [window for window in found if window]
    if not windows:
        raise InferometerError("no launch of the bench was measured")
    return windows

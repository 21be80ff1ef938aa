"""While a real trial runs, no thread of the telemetry program may be scheduled on the runner's cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain import Status, Trial
from orchestrator.engines.base_images import PLATFORMS
from orchestrator.engines.docker import DockerEngine
from orchestrator.engines.launch import Engine, available_cores
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import execute
from tests.support import doubles

pytestmark = pytest.mark.quiet

TWO = pytest.mark.skipif(len(available_cores()) < 2, reason="one core is shared by all")


PLATFORM = next(name for name, words in PLATFORMS.items() if words[1] == os.uname().machine)


def status(folder: Path, field: str) -> str:
    """A line of the ``status`` of a process or a thread, see proc(5)."""
    lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return lines[field].strip()


def cores_of(task: Path) -> set[int]:
    found: set[int] = set()
    for part in status(task, "Cpus_allowed_list").split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def program(folder: Path) -> bool:
    """Whether a process is our telemetry program; between fork and exec it is still we ourselves."""
    words = (folder / "cmdline").read_bytes().split(b"\0")
    ours = any(word.endswith(b"orchestrator/telemetry") for word in words)
    return ours and status(folder, "PPid") == str(os.getpid())


class Watch(threading.Thread):
    """Notes for every thread of every telemetry process where it is allowed to run, from its birth on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, list[set[int]]] = {}
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.002):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    if program(folder):
                        for task in (folder / "task").iterdir():
                            self.seen.setdefault(task.name, []).append(cores_of(task))
                except (FileNotFoundError, ProcessLookupError):
                    continue


def watched(engine: Engine, cache: Path, raw: Path) -> tuple[set[int], dict[str, list[set[int]]]]:
    """A trial of about a second: the runner's cores, and those of each telemetry thread."""
    settings = replace(doubles.SHORT, min_duration_ns=700_000_000, timeout_s=60.0)
    case = doubles.case(latency_ns="1000000", wait="sleep")
    conditions = doubles.conditions_of(engine, settings, interval_s=0.05)
    runtime = doubles.session_of(doubles.plan_of([case]), conditions, cache).runtimes["fake"]
    target = engine.prepare(runtime, lambda text: None, "cpu")
    raw.mkdir()
    watch = Watch()
    watch.start()
    try:
        record = execute(Trial(case, 0), doubles.load(), target, conditions, raw)
    finally:
        watch.over.set()
        watch.join()
    assert record.status is Status.OK, record.reason
    assert len(record.cores) == 1
    return set(record.cores), watch.seen


ENGINES: dict[str, Callable[[Path], Engine]] = {
    "process": lambda cache: ProcessEngine(doubles.ROOT, cache),
    "docker": lambda cache: DockerEngine(doubles.ROOT, cache, "board", PLATFORM, {}),
}


@TWO
@pytest.mark.parametrize("name", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_no_thread_of_telemetry_may_run_where_the_runner_does(
    tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    if name == "docker":
        request.getfixturevalue("double_image")
    theirs, seen = watched(ENGINES[name](tmp_path / "cache"), tmp_path / "cache", tmp_path / "raw")
    looks = [cores for found in seen.values() for cores in found]
    assert len(looks) > 10, "telemetry was not seen often enough to say so"
    assert [cores for cores in looks if cores & theirs] == []

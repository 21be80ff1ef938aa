"""The orchestrator is killed at any moment: nothing is lost, nothing is there twice, nothing is left."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.store import Run
from tests.support import doubles, driver
from tests.support.benches import belonging, check, wait_for
from tests.support.newcomer import environment

LATENCIES = [str(50_000 + 1000 * number) for number in range(8)]
LAUNCHES = 3
KILLS = 20


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made once (the double's environment) is made once here too."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder to run in; every process that belongs to it is gone in the end."""
    yield tmp_path
    wait_for(lambda: not belonging(tmp_path))
    assert belonging(tmp_path) == []


def bench(place: Path, cache: Path, *more: str) -> subprocess.Popen[str]:
    """The command itself, started in ``place``."""
    options = ["--engine", "process", "--runtimes", "fake", "--models", doubles.MODEL, "--quick"]
    options += ["--launches", str(LAUNCHES)]
    options += [word for latency in LATENCIES for word in ("--option", f"fake.latency_ns={latency}")]
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "bench", *options, *more],
        cwd=place,
        env=environment(place, INFEROMETER_CACHE=str(cache)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_the_same_command_resumes_after_every_kill(place: Path, cache: Path) -> None:
    chance, kills, finished = random.Random(1), 0, 0
    # So many trials that a machine several times as fast is not done before the last kill.
    launches = 2 * LAUNCHES
    options = ["--launches", str(launches)]
    bench(place, cache, "--launches", "1", "--results", "warm").communicate()  # makes the environment
    while kills < KILLS:
        child = bench(place, cache, *options)
        if kills % 2:  # a trial further at least; the others may fall into the start
            assert child.stderr
            assert any(line.startswith("[") for line in child.stderr)
        time.sleep(chance.uniform(0.05, 0.4))
        child.kill()
        child.communicate()
        assert child.returncode == -signal.SIGKILL, "finished before it was killed often enough"
        kills += 1
        wait_for(lambda: not belonging(place))
        assert belonging(place) == []
        done = [sum(1 for _ in Run.open(path.parent).records()) for path in place.glob("results/*/run.json")]
        assert len(done) <= 1, "another run was begun instead of resuming"
        assert sum(done) >= finished, "a finished trial was lost"
        finished = sum(done)
    child = bench(place, cache, *options)
    _, said = child.communicate(timeout=300)
    assert child.returncode == 0, said
    assert 0 < finished < len(LATENCIES) * launches, "the kills did not fall into the run"
    assert f"{finished} of {len(LATENCIES) * launches} trials are done" in said
    (folder,) = [path.parent for path in place.glob("results/*/run.json")]
    check(folder, len(LATENCIES), launches)
    summary = json.loads((folder / "summary.json").read_bytes())
    assert summary


@pytest.mark.slow
def test_kills_between_two_writes(place: Path, cache: Path) -> None:
    """Trials of some milliseconds, so that most kills fall where records and raw files are written."""
    chance, kills, ended, folder = random.Random(2), 0, False, place / "run"
    while not ended:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.driver", str(folder), str(cache)],
            cwd=doubles.ROOT,
            env=environment(place, INFEROMETER_CACHE=str(cache)),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout
        assert child.stdout.readline() == "go\n"
        if kills < 2 * KILLS:
            time.sleep(chance.uniform(0, 0.35))
            child.kill()
        said, _ = child.communicate(timeout=300)
        ended = said == "end\n" and child.returncode == 0
        kills += child.returncode == -signal.SIGKILL
    assert kills >= KILLS
    check(folder, driver.CASES, driver.SETTINGS.launches)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130_and_the_same_command_resumes(
    place: Path, cache: Path, number: signal.Signals
) -> None:
    child = bench(place, cache, "--results", "run")
    assert child.stderr
    for line in child.stderr:
        if line.startswith("[2/"):
            break
    time.sleep(0.3)  # into the third trial
    child.send_signal(number)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 130
    lines = [line for line in said.splitlines() if not line.startswith("[")]
    assert lines == ["interrupted; the same command resumes, every finished trial is kept"]
    assert belonging(place) == []
    done = sum(1 for _ in Run.open(place / "run").records())
    assert done >= 2
    child = bench(place, cache, "--results", "run")
    _, said = child.communicate(timeout=120)
    assert child.returncode == 0
    assert f"resuming run: {done} of 24 trials are done" in said
    check(place / "run", len(LATENCIES), LAUNCHES)


@pytest.mark.parametrize("delay_s", [0.15, 0.25, 0.35, 0.5])
def test_an_early_interrupt_is_quiet_too(place: Path, cache: Path, delay_s: float) -> None:
    child = bench(place, cache, "--results", "run")
    time.sleep(delay_s)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert child.returncode in (130, -signal.SIGINT)  # the latter before Python is up
    if child.returncode == 130:
        assert "Traceback" not in said


def test_a_second_bench_is_refused_naming_the_first(place: Path, cache: Path) -> None:
    first = bench(place, cache, "--results", "first")
    assert first.stderr
    assert any(line.startswith("[1/") for line in first.stderr)
    second = bench(place, cache, "--results", "second")
    _, said = second.communicate(timeout=20)
    assert second.returncode == 2
    assert len(said.splitlines()) == 1
    assert f"this machine is in use by process {first.pid} for first; wait for it or stop it" in said
    assert not (place / "second").exists()
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=20)

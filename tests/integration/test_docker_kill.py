"""A bench in containers is killed or interrupted: the same command ends it, and no container stays.

Takes about 30 seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator import environment
from orchestrator.catalog import Catalog
from orchestrator.engines.docker import LABEL
from orchestrator.engines.images import Image
from orchestrator.store import Run
from tests.support import doubles
from tests.support.benches import belonging, check, wait_for

pytestmark = [pytest.mark.docker, pytest.mark.slow]

LATENCIES = ("50000", "60000", "70000")
LAUNCHES = 2
TRIALS = len(LATENCIES) * LAUNCHES


@dataclass(frozen=True)
class Place:
    """A copy of the suite in which this machine is a device of its own."""

    folder: Path
    device: str
    client: Any

    def bench(self) -> subprocess.Popen[str]:
        """The command itself; the lock lies in TMPDIR, so that nobody else's bench is in its way."""
        command = [sys.executable, "-m", "orchestrator", "bench", "--engine", "docker", "--runtimes", "fake"]
        command += ["--models", doubles.MODEL, "--quick", "--launches", str(LAUNCHES), "--results", "run"]
        command += [word for latency in LATENCIES for word in ("--option", f"fake.latency_ns={latency}")]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "TMPDIR": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def containers(self, ended: bool = True) -> list[str]:
        """The names of this device's containers; without ``ended`` the living ones."""
        found = self.client.containers.list(all=ended, filters={"label": f"{LABEL}={self.device}"})
        return [container.name for container in found]

    def into_third_trial(self) -> subprocess.Popen[str]:
        """A bench with two trials done whose third container is alive."""
        child = self.bench()
        assert child.stderr
        said = []
        for line in child.stderr:
            said.append(line)
            if line.startswith("[2/"):
                break
        else:
            raise AssertionError("".join(said))
        wait_for(lambda: bool(self.containers(ended=False)), 10.0)
        assert len(self.containers(ended=False)) == 1
        return child

    def resume(self) -> None:
        """The same command again: it takes up the run and ends it."""
        done = sum(1 for _ in Run.open(self.folder / "run").records())
        assert 2 <= done < TRIALS
        child = self.bench()
        _, said = child.communicate(timeout=120)
        assert child.returncode == 0, said
        assert f"resuming run: {done} of {TRIALS} trials are done" in said
        check(self.folder / "run", len(LATENCIES), LAUNCHES)
        assert self.containers() == []


@pytest.fixture
def place(engine_client: Any, double_image: Image, tmp_path: Path) -> Iterator[Place]:
    """A bench removes what an earlier one of its device left: without a device of its own it would
    remove the containers of a bench that the user runs meanwhile."""
    unwanted = shutil.ignore_patterns("__pycache__", "devices")
    for name in ("orchestrator", "runners", "models", "Dockerfiles"):
        shutil.copytree(doubles.ROOT / name, tmp_path / name, ignore=unwanted)
    profiles = {key: item.profile for key, item in Catalog(doubles.ROOT).devices().items()}
    here, device = environment.detect(profiles), f"test-{os.getpid()}"
    (tmp_path / "orchestrator/devices").mkdir()
    shutil.copy(
        doubles.ROOT / f"orchestrator/devices/{here}.toml", tmp_path / f"orchestrator/devices/{device}.toml"
    )
    found = Place(tmp_path, device, engine_client)
    yield found
    for name in found.containers():
        engine_client.containers.get(name).remove(force=True)
    wait_for(lambda: not belonging(tmp_path))
    assert belonging(tmp_path) == []


def test_a_killed_bench_resumes_and_removes_what_it_left(place: Place) -> None:
    child = place.into_third_trial()
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert len(place.containers()) == 1  # nobody was there to remove it
    place.resume()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_bench_leaves_no_container(place: Place, number: signal.Signals) -> None:
    child = place.into_third_trial()
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130, said
    assert "interrupted; the same command resumes" in said
    assert place.containers() == []
    assert belonging(place.folder) == []
    place.resume()

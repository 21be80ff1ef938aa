"""Where the benchmark runs: the checkout, the cache, the engine, and what the runners load."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

from orchestrator import artifacts, environment, lock
from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog, Device, suite_root
from orchestrator.choices import choose_device, choose_engine
from orchestrator.domain import Case, Trial
from orchestrator.engines.launch import Engine, Target, Watch
from orchestrator.engines.place import here
from orchestrator.execute import Conditions, Load
from orchestrator.plan import Settings
from orchestrator.session import Watcher


class Place:
    """Made once; engine and images are looked for when the first figure needs them."""

    def __init__(self, watcher: Watcher, tries: int = 0, resume: bool = False):
        self.root, self.cache, self.watcher = suite_root(), cache_root(), watcher
        self.tries, self.resume = tries, resume  # of what is repeated as often as the user has time
        self.catalog = Catalog(self.root)
        self.command = (sys.executable, "-m", "orchestrator")  # the program under test
        self._targets: dict[str, Target] = {}

    @cached_property
    def device(self) -> Device:
        """This machine. Raises InferometerError where it is no known one."""
        return choose_device(self.catalog, "", False, False, here())

    @cached_property
    def engine(self) -> Engine:
        """Docker where an Engine answers and can build, else processes."""
        return choose_engine(self.root, self.cache, "auto", self.device, self.watcher)[0]

    def describe(self) -> str:
        """When and where, for a document: the load average tells how quiet the machine is at the start."""
        facts, today = environment.facts(self.root), datetime.now(timezone.utc).date()
        machine = f"{facts['cpu_model']}, {facts['cores_logical']} cores"
        system = f"{facts['os']}, {facts['arch']}, Python {facts['python']}, engine {self.engine.name}"
        return f"{today}: {machine}; {system}; load average at the start {os.getloadavg()[0]:.1f}."

    def target(self, runtime: str) -> Target:
        """The runtime's image or virtual environment, made where it is not there yet."""
        if runtime not in self._targets:
            self._targets[runtime] = self.engine.prepare(self.catalog.runtimes()[runtime], self.watcher.say)
        return self._targets[runtime]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the machine as a bench does. Raises InferometerError naming who holds it."""
        with lock.hold("benchmarks"):
            yield

    def load(self, model: str, format_: str) -> Load | None:
        """The model's fp32 artifact at batch 1; None where it was not exported: nothing is exported here."""
        folder = artifacts.folder_of(self.root, self.cache, model, "nq", 1)
        artifact = artifacts.open_artifact(folder, format_)
        return Load(artifact, artifact.path, artifact.format, artifact.sha256) if artifact else None

    def trial(self, runtime: str, load: Load) -> Trial:
        """A trial with one thread, so that what watches it has a core of its own where there are two."""
        return Trial(Case(self.device.id, runtime, load.artifact.model), 0)

    def conditions(
        self, settings: Settings, engine: Engine | None = None, watched: bool = True
    ) -> Conditions:
        """Those of a bench on this machine, with another engine or without telemetry where wanted."""
        limit = environment.memory_limit_bytes(self.device.profile)
        return Conditions(engine or self.engine, settings, here(), limit, Watch() if watched else None)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards; runners in containers may read what lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="inferometer-benchmark-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Where the benchmark runs: the checkout, the cache, the engine, and what the runners load."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from orchestrator import artifacts
from orchestrator.artifacts import Artifact, cache_root
from orchestrator.bench import choose_device, choose_engine
from orchestrator.catalog import Catalog, Device, suite_root
from orchestrator.engines.launch import Engine, Target
from orchestrator.session import Watcher


class Place:
    """Made once; engine and images are looked for when the first figure needs them."""

    def __init__(self, watcher: Watcher):
        self.root, self.cache, self.watcher = suite_root(), cache_root(), watcher
        self.catalog = Catalog(self.root)
        self.command = (sys.executable, "-m", "orchestrator")  # the program under test
        self._targets: dict[str, Target] = {}

    @cached_property
    def device(self) -> Device:
        """This machine. Raises InferometerError where it is no known one."""
        return choose_device(self.catalog, "", False)

    @cached_property
    def engine(self) -> Engine:
        """Docker where an Engine answers and can build, else processes."""
        return choose_engine(self.root, self.cache, "auto", self.device, self.watcher)[0]

    def target(self, runtime: str) -> Target:
        """The runtime's image or virtual environment, made where it is not there yet."""
        if runtime not in self._targets:
            self._targets[runtime] = self.engine.prepare(self.catalog.runtimes()[runtime], self.watcher.say)
        return self._targets[runtime]

    def artifact(self, model: str, format_: str) -> Artifact | None:
        """The model's fp32 artifact at batch 1; None where it was not exported: nothing is exported here."""
        folder = artifacts.folder_of(self.root, self.cache, model, "nq", 1)
        return artifacts.open_artifact(folder, format_)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards; runners in containers may read what lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="inferometer-benchmark-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

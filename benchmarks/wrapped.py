"""An engine that launches in a way of its own and is another engine in all else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.catalog import Runtime
from orchestrator.engines.launch import Engine, Mount, Target, Watch
from orchestrator.measurement import Line


@dataclass
class Wrapped:
    """To derive from: a subclass adds ``launch``."""

    engine: Engine
    name: str = field(init=False)  # the engine's, as what a trial is depends on it

    def __post_init__(self) -> None:
        self.name = self.engine.name

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        """As the engine does."""
        return self.engine.prepare(runtime, progress, accelerator)

    def see(self, mount: Mount) -> str:
        """As the engine does."""
        return self.engine.see(mount)

    def observe(self, pid: int, watch: Watch, path: Path) -> Callable[[], None]:
        """As the engine does."""
        return self.engine.observe(pid, watch, path)

    def sense(self, sources: Sequence[str]) -> Sequence[Line]:
        """As the engine does."""
        return self.engine.sense(sources)

    def clean(self) -> list[str]:
        """As the engine does."""
        return self.engine.clean()

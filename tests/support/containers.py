"""Trials of the scripted double in real containers, of a device that nobody else has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.artifacts import cache_root
from orchestrator.domain import Trial, TrialRecord
from orchestrator.engines.base_images import native
from orchestrator.engines.docker import LABEL, DockerEngine
from orchestrator.engines.launch import Target
from orchestrator.execute import execute
from tests.support import doubles

# No bench and no other test run uses this device: their containers are not ours to count or to remove.
DEVICE = f"test-{os.getpid()}"
LIMIT_BYTES = 96 << 20
Kind = TypeVar("Kind", bound=DockerEngine)


def engine(kind: type[Kind] = DockerEngine, **arguments: Any) -> Kind:
    """The engine of this test run; ``arguments`` as a device profile gives them."""
    return kind(doubles.ROOT, cache_root(), DEVICE, native(), {"cpu": arguments})


def left(client: Any, device: str = DEVICE) -> list[str]:
    """The names of a device's containers, ended ones too."""
    found = client.containers.list(all=True, filters={"label": f"{LABEL}={device}"})
    return [container.name for container in found]


def one(engine: DockerEngine, raw: Path, target: str, **script: str) -> TrialRecord:
    """One trial of the double with one thread and a limit of memory."""
    conditions = doubles.conditions_of(engine, memory_bytes=LIMIT_BYTES)
    return execute(Trial(doubles.case(**script), 0), doubles.load(), Target("fake", target), conditions, raw)

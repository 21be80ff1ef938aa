"""The machine that containers run on: this one, or a board reached over ssh."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator.engines.launch import available_cores


@dataclass(frozen=True)
class Place:
    """What is asked of a machine before a trial; ``root`` is where its files are read."""

    root: Path
    arch: str  # as ``uname -m`` says
    cores: tuple[int, ...]  # all it offers us
    remote: bool = False


def here() -> Place:
    """This machine."""
    return Place(Path("/"), os.uname().machine, available_cores())

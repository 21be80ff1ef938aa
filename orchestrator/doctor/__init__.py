"""Names every missing precondition of a bench, of this machine, of a device and of a board, with its fix."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.catalog import Catalog
from orchestrator.doctor.board import examine_board
from orchestrator.doctor.check import Check
from orchestrator.doctor.device import examine_device
from orchestrator.doctor.isolation import leftover
from orchestrator.doctor.machine import examine, quiet
from orchestrator.engines.place import here

__all__ = ["Check", "examine", "examine_all", "examine_device", "quiet"]


def examine_all(catalog: Catalog, cache: Path, device: str, host: str | None, emulate: bool) -> list[Check]:
    """This machine, and what else was named: a device, or a board reached over ssh."""
    checks = examine(catalog, cache)
    if host:
        return checks + examine_board(catalog, cache, device, host)
    place = here()
    checks += quiet(place.root, len(place.cores), os.getloadavg()[0])
    checks += leftover(place.root, os.geteuid())
    return checks + (examine_device(catalog, device, emulate, place) if device else [])

"""Names every missing precondition of a bench, of this machine, of a device and of a board, with its fix."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator import choices
from orchestrator.catalog import Catalog
from orchestrator.doctor.board import examine_board
from orchestrator.doctor.check import Check
from orchestrator.doctor.device import examine_device
from orchestrator.doctor.isolation import leftover
from orchestrator.doctor.machine import examine, quiet
from orchestrator.doctor.sensors import sensors
from orchestrator.domain import InferometerError
from orchestrator.engines import observer
from orchestrator.engines.place import Place, here

__all__ = ["Check", "examine", "examine_all", "examine_device", "quiet"]


def examine_all(catalog: Catalog, cache: Path, device: str, host: str | None, emulate: bool) -> list[Check]:
    """This machine, and what else was named: a device, or a board reached over ssh."""
    checks = examine(catalog, cache)
    if host:
        return checks + examine_board(catalog, cache, device, host)
    place = here()
    checks += quiet(place.root, len(place.cores), os.getloadavg()[0])
    checks += leftover(place.root, os.geteuid())
    checks += sensors(observer.sense, _sources(catalog, place))
    return checks + (examine_device(catalog, device, emulate, place) if device else [])


def _sources(catalog: Catalog, place: Place) -> tuple[str, ...]:
    """Those of the device that the place is, else of all: a broken profile is told elsewhere."""
    try:
        device = choices.recognised(catalog, place)
        return device.sources if device else choices.sources_of_all(catalog)
    except InferometerError:
        return ()

"""Sampled power is read off the grid."""

from __future__ import annotations

from importlib import import_module

import pytest

from orchestrator.telemetry.sources import SOURCES


@pytest.mark.parametrize("name", ["rpi_pmic", "ina3221", "ina2xx", "nvml", "shelly", "tasmota"])
def test_whoever_samples_power_scatters_its_deadlines(name: str) -> None:
    """docs/adr/0010-energy.md; counters do not need it, and tegrastats has a grid of its own."""
    assert getattr(import_module(f"orchestrator.telemetry.{name}"), SOURCES[name][0]).scatter

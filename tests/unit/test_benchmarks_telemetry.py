"""What the benchmark makes of the telemetry program's own account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import meters, telemetry_cost, watching
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError


def test_telemetry_is_measured_on_every_device() -> None:
    assert list(telemetry_cost.TREES) == sorted(Catalog(suite_root()).devices())


LINES: list[dict[str, Any]] = [
    {"type": "clock", "t_ns": 1000},
    {"type": "fix", "source": "rapl", "reason": "no_sensor", "fix": "buy one"},
    {"type": "reading", "source": "rapl", "unit": "j", "value": None, "reason": "no_sensor"},
    {"type": "reading", "source": "ina2xx.in", "unit": "w", "value": 2.0, "reason": None},
    {"type": "reading", "source": "ina2xx.in", "unit": "w", "value": 3.5, "reason": None},
    {"type": "reading", "source": "thermal.cpu", "unit": "c", "value": 41.0, "reason": None},
    {
        "type": "end",
        "t_ns": 3000,
        "cpu_ns": 110,
        "startup_cpu_ns": 100,
        "max_rss_bytes": 7,
        "sources": {
            "rapl": {"late_p99_ns": 5, "interval_ns": 100},
            "ina2xx": {"late_p99_ns": 30, "interval_ns": 1000},
            "thermal": {"late_p99_ns": None, "interval_ns": 1},
        },
    },
]


def test_telemetry_costs_what_it_took_after_its_start_and_its_children_apart() -> None:
    cost = watching.cost(LINES, whole_ns=130)
    assert (cost.share, cost.children_share, cost.resident_bytes) == pytest.approx((0.005, 0.01, 7))
    assert cost.latest() == ("rapl", 0.05)


def test_what_power_sources_say_is_a_value_or_a_reason() -> None:
    said = meters.said(watching.cost(LINES, 0), ("rapl@0.1", "ina2xx@0.1", "thermal"))
    assert said == "ina2xx.in 3.5 W, rapl no_sensor"


@pytest.mark.quiet
@pytest.mark.parametrize("device", [name for name in telemetry_cost.TREES if name.startswith("rpi")])
def test_the_firmware_and_the_command_of_the_benchmark_say_what_was_recorded(
    device: str, tmp_path: Path
) -> None:
    root = telemetry_cost.tree(suite_root(), telemetry_cost.TREES[device], tmp_path)
    sources = ("rpi_pmic@0.1", "vcgencmd@0.1")
    asked = watching.watch(0.5, sources, root, telemetry_cost.with_firmware(root, tmp_path))
    run = watching.watch(1.0, sources, root, path=telemetry_cost.commands(root, tmp_path))
    told = [
        {name: (line["value"], line["reason"]) for name, line in cost.readings.items()}
        for cost in (asked, run)
    ]
    assert told[0] == told[1]
    assert told[0]["vcgencmd.clock_arm"][0] == pytest.approx(1.5e9, rel=0.1)
    assert asked.children_share < run.children_share


def test_a_telemetry_program_that_fails_gives_no_figure() -> None:
    with pytest.raises(InferometerError, match="ended with 2: telemetry: --sources: unknown gps"):
        watching.watch(0.1, ("gps",))

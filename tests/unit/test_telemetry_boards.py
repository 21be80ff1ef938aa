"""Memory and clocks on the boards: what their kernels have and what they lack."""

import pytest

from orchestrator.telemetry.cgroup import Cgroup
from orchestrator.telemetry.cpufreq import Cpufreq
from orchestrator.telemetry.hwmon import Hwmon
from orchestrator.telemetry.load import Load
from orchestrator.telemetry.meminfo import Meminfo
from orchestrator.telemetry.process import Process
from orchestrator.telemetry.tree import Tree
from tests.support.sensors import recorded, said

PID = 3112


@pytest.mark.parametrize(
    "device, memory, peak",
    [
        ("rpi4", "no_sensor", "no_sensor"),  # Raspberry Pi OS has the memory controller off
        ("rpi5", "no_sensor", "no_sensor"),
        ("jetson-nano", 97378304, 201326592),
        ("jetson-orin-nano", 97378304, "no_sensor"),  # its kernel is older than memory.peak
    ],
)
def test_memory_of_the_container(device, memory, peak):
    found = said(Cgroup(recorded(device), PID).read())
    assert (found["cgroup.memory_current"], found["cgroup.memory_peak"]) == (memory, peak)


@pytest.mark.parametrize(
    "device, limits",
    [
        ("rpi4", {"policy0": (600_000_000, 1_800_000_000)}),
        ("rpi5", {"policy0": (1_500_000_000, 2_400_000_000)}),
        ("jetson-nano", {"policy0": (102_000_000, 1_479_000_000)}),
        (
            "jetson-orin-nano",
            {"policy0": (729_600_000, 1_344_000_000), "policy4": (729_600_000, 1_344_000_000)},
        ),
    ],
)
def test_clocks_of_the_cores(device, limits):
    found = said(Cpufreq(recorded(device), PID).read())
    assert len(found) == 4 * len(limits)
    for policy, low_and_high in limits.items():
        assert tuple(found[f"cpufreq.{policy}.{name}"] for name in ("min", "max")) == low_and_high


@pytest.mark.parametrize("device", ["rpi4", "rpi5", "jetson-nano", "jetson-orin-nano"])
def test_the_rest_of_a_board(device):
    found = recorded(device)
    assert said(Process(found, Tree(found, PID)).read())["process.vm_hwm"] == 181248 * 1024
    assert said(Meminfo(found).read())["host.memory_available"] > 2e9
    assert said(Load(found).read())["host.cpu_busy"] > 0
    assert said(Hwmon(found).read()) == {"hwmon": "no_sensor"}  # their chips are no x86 packages

"""Every source on recorded machines: what they hold, and why they hold nothing."""

import errno
import os
from pathlib import Path

import pytest

from orchestrator.telemetry.cgroup import Cgroup, locate
from orchestrator.telemetry.cpufreq import Cpufreq
from orchestrator.telemetry.hwmon import Hwmon
from orchestrator.telemetry.load import Load
from orchestrator.telemetry.machine import Machine, read_file
from orchestrator.telemetry.meminfo import Meminfo
from orchestrator.telemetry.process import Process
from orchestrator.telemetry.thermal import Thermal
from orchestrator.telemetry.tree import Tree

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
PID = 3112


def machine(device, **changed):
    """A recorded machine, in which files (by the end of their path) may hold or raise something else."""

    def read(path):
        for end, what in changed.get("files", {}).items():
            if path.endswith(end):
                if isinstance(what, int):
                    raise OSError(what, os.strerror(what), path)
                return what
        return read_file(path)

    return Machine(str(TREES / device), read)


def said(readings):
    """``source -> value, or the reason for having none``."""
    return {r.channel.source: r.reason if r.value is None else r.value for r in readings}


CONTAINER = {
    "cgroup.memory_current": 97378304,
    "cgroup.memory_anon": 77594624,
    "cgroup.memory_peak": 201326592,
}


@pytest.mark.parametrize(
    "device, expected",
    [
        ("i5-desktop", CONTAINER),
        ("docker-cgroup1", CONTAINER),
        ("docker-cgroup2", {**CONTAINER, "cgroup.memory_peak": "no_sensor"}),
        (
            "hybrid",
            {
                "cgroup.memory_current": 1380352,
                "cgroup.memory_anon": 262144,
                "cgroup.memory_peak": 4349952,
            },
        ),
        ("epyc-vm", dict.fromkeys(CONTAINER, "not_supported")),
    ],
)
def test_memory_of_the_container(device, expected):
    assert said(Cgroup(machine(device), PID).read()) == expected


def test_the_hybrid_machine_uses_the_hierarchy_that_has_the_controller():
    location = locate(machine("hybrid"), str(PID))
    assert location.version == 1
    assert location.folder.startswith("sys/fs/cgroup/memory/docker/")


def test_a_hybrid_machine_may_have_memory_in_the_unified_hierarchy():
    lines = b"4:cpuset:/docker/a\n0::/docker/a\n"
    location = locate(machine("hybrid", files={f"proc/{PID}/cgroup": lines}), str(PID))
    assert (location.version, location.folder) == (2, "sys/fs/cgroup/unified/docker/a")


@pytest.mark.parametrize(
    "cgroup, reason",
    [
        (b"4:cpuset:/docker/a\n", "no_sensor"),  # neither a memory controller nor a unified hierarchy
        (b"0::/system.slice/unknown.scope\n", "no_sensor"),  # the controller is switched off: no files
        (b"garbage\n", "parse"),
        (errno.ENOENT, "no_sensor"),
        (errno.ESRCH, "stale"),
        (errno.EACCES, "permission"),
    ],
)
def test_a_container_whose_memory_is_not_accounted_says_why(cgroup, reason):
    found = machine("i5-desktop", files={f"proc/{PID}/cgroup": cgroup})
    assert said(Cgroup(found, PID).read()) == dict.fromkeys(CONTAINER, reason)


@pytest.mark.parametrize(
    "ours, shared",
    [
        (b"0::/system.slice/app.scope\n", True),
        (b"0::/system.slice/app.scope/below\n", True),
        (b"0::/system.slice/app.scope2\n", False),
        (b"0::/system.slice\n", False),
    ],
)
def test_a_cgroup_that_holds_telemetry_too_is_not_the_runners(ours, shared):
    files = {f"proc/{PID}/cgroup": b"0::/system.slice/app.scope\n", "proc/self/cgroup": ours}
    assert all(
        (r.reason == "not_supported") == shared
        for r in Cgroup(machine("i5-desktop", files=files), PID).read()
    )


def test_a_container_of_zero_bytes_is_no_figure():
    files = {"memory.current": b"0\n", "memory.peak": b"0\n"}
    assert (
        said(Cgroup(machine("i5-desktop", files=files), PID).read())["cgroup.memory_peak"] == "out_of_range"
    )


def test_a_cgroup_that_vanishes_between_ticks_has_a_reason():
    files = {"memory.current": errno.ENODEV, "memory.stat": errno.ENODEV, "memory.peak": errno.ENODEV}
    assert said(Cgroup(machine("i5-desktop", files=files), PID).read()) == dict.fromkeys(
        CONTAINER, "no_sensor"
    )


@pytest.mark.parametrize("device", ["i5-desktop", "docker-cgroup1", "docker-cgroup2", "hybrid"])
def test_the_runner_below_its_init_is_found(device):
    found = machine(device)
    assert said(Process(found, Tree(found, PID)).read()) == {
        "process.vm_hwm": 181248 * 1024,  # the runner's, not its init's
        "process.vm_rss": (696 + 90112) * 1024,
        "process.cpu_time": (507 + 7 + 20 + 4) * 10_000_000,
    }


def test_a_lone_process_of_a_shared_cgroup_is_itself():
    found = machine("epyc-vm")
    assert said(Process(found, Tree(found, PID)).read())["process.cpu_time"] == 150_000_000


def test_a_process_that_has_gone_is_stale():
    files = {}
    found = machine("i5-desktop", files=files)
    process = Process(found, Tree(found, PID))
    files.update({"/stat": errno.ENOENT, "/status": errno.ENOENT})
    assert set(said(process.read()).values()) == {"stale"}


def test_there_is_no_tree_without_its_process():
    with pytest.raises(ProcessLookupError, match="no process 999"):
        Tree(machine("i5-desktop"), 999)


def test_memory_the_host_has_left():
    assert said(Meminfo(machine("i5-desktop")).read()) == {"host.memory_available": 28123456 * 1024}
    old = machine("i5-desktop", files={"meminfo": b"MemTotal: 1 kB\n"})
    assert said(Meminfo(old).read()) == {"host.memory_available": "not_supported"}


def test_foreign_load_is_busy_time_and_stolen_time():
    # user nice system, irq softirq: neither idle nor waiting nor stolen, and no guest time twice
    assert said(Load(machine("i5-desktop")).read()) == {
        "host.cpu_busy": (3357 + 0 + 1234 + 12 + 34) * 10_000_000,
        "host.cpu_steal": 56 * 10_000_000,
    }


@pytest.mark.parametrize(
    "data, busy, steal",
    [
        (b"cpu 1 2 3 4 5 6 7\n", 190_000_000, "not_supported"),
        (b"cpu 1 2\n", "parse", "not_supported"),
        (b"intr 1\n", "parse", "parse"),
    ],
)
def test_an_odd_stat_file_has_reasons(data, busy, steal):
    found = machine("i5-desktop", files={"proc/stat": data})
    assert said(Load(found).read()) == {"host.cpu_busy": busy, "host.cpu_steal": steal}


def test_thermal_zones_are_named_by_type_and_doubles_by_number():
    assert said(Thermal(machine("i5-desktop")).read()) == {
        "thermal.acpitz.0": 27.8,
        "thermal.acpitz.1": 16.8,
        "thermal.INT3400 Thermal": 20.0,
        "thermal.x86_pkg_temp": 41.0,
    }


def test_a_zone_that_refuses_does_not_vanish():
    found = machine("i5-desktop", files={"zone3/temp": errno.EAGAIN, "zone2/temp": b"-256000\n"})
    values = said(Thermal(found).read())
    assert values["thermal.x86_pkg_temp"] == "eagain"
    assert values["thermal.INT3400 Thermal"] == "out_of_range"


def test_of_the_chips_only_processor_packages_are_read():
    assert said(Hwmon(machine("i5-desktop")).read()) == {"hwmon.coretemp.Package_id_0": 41.0}


def test_clocks_of_the_cores_that_the_runner_may_use():
    domains = {name.split(".")[1] for name in said(Cpufreq(machine("i5-desktop"), PID).read())}
    assert domains == {"policy0"}  # its Cpus_allowed_list is 0-1
    everywhere = machine("i5-desktop", files={f"proc/{PID}/status": errno.EACCES})
    assert len(Cpufreq(everywhere, PID).read()) == 3 * 4


def test_clocks_have_limits_and_a_governor():
    assert said(Cpufreq(machine("i5-desktop"), PID).read()) == {
        "cpufreq.policy0.current": 4_800_000_000,
        "cpufreq.policy0.min": 800_000_000,
        "cpufreq.policy0.max": 4_800_000_000,
        "cpufreq.policy0.governor": "powersave",
    }


@pytest.mark.parametrize("source", [Thermal, Hwmon, lambda found: Cpufreq(found, PID)])
def test_a_machine_without_sensors_says_so(source):
    [reading] = source(machine("epyc-vm")).read()
    assert (reading.value, reading.reason) == (None, "no_sensor")

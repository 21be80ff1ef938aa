"""What is told of a machine's isolation: recorded trees, small ones, and what of them a board sends."""

from __future__ import annotations

import fnmatch
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator import environment
from orchestrator.engines import snapshot
from orchestrator.environment.host import Host, Unknown
from orchestrator.environment.isolation import isolation
from orchestrator.environment.power_modes import power_modes

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
CPU = "sys/devices/system/cpu"
MODES = """\
< PARAM TYPE=CLOCK NAME=MAX_CPU >
# < POWER_MODEL ID=9 NAME=OFF >
< POWER_MODEL ID=0 NAME=15W >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=1 NAME=25W >
< POWER_MODEL ID=2 NAME=MAXN_SUPER >
< POWER_MODEL ID=3 NAME=7W >
< PM_CONFIG DEFAULT=1 >
"""
SWAPS = """\
Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/zram0                              partition\t1951192\t\t12\t\t5
/swap\\040file                           file\t\t4194300\t\t0\t\t-2
"""


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def told(root: Path) -> dict[str, Any]:
    """The facts; every None has its reason and no other fact has one."""
    found = environment.isolation_of(root)
    unknown = {name for name, value in found.items() if value is None}
    assert unknown == set(found["reasons"])
    assert all(found["reasons"].values())
    return found


def test_a_desktop() -> None:
    found = told(TREES / "i5-desktop")
    assert found["governors"] == dict.fromkeys(("policy0", "policy2", "policy3"), "powersave")
    assert found["clocks_locked"] == dict.fromkeys(("cpu.policy0", "cpu.policy2", "cpu.policy3"), False)
    assert (found["turbo"], found["aslr"]) == (True, 2)
    assert found["load_average"] == [0.52, 0.58, 0.59]
    assert "nvpmodel" in found["reasons"]["nvpmodel"]


@pytest.mark.parametrize("device", sorted(path.name for path in TREES.iterdir() if path.is_dir()))
def test_no_recorded_machine_lacks_a_reason(device: str) -> None:
    told(TREES / device)


def test_an_empty_machine_tells_nothing(tmp_path: Path) -> None:
    assert {name for name, value in told(tmp_path).items() if value is not None} == {"reasons"}


def test_it_goes_into_the_run(tmp_path: Path) -> None:
    facts = environment.facts(tmp_path, TREES / "i5-desktop", lambda words: "", "x86_64")
    assert facts["isolation"] == told(TREES / "i5-desktop")


def test_turbo_is_told_by_either_driver(tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(TREES / "i5-desktop", root, symlinks=True)
    write(root, f"{CPU}/intel_pstate/no_turbo", "1\n")
    assert told(root)["turbo"] is False
    (root / CPU / "intel_pstate/no_turbo").unlink()
    write(root, f"{CPU}/cpufreq/boost", "1\n")
    assert told(root)["turbo"] is True


def test_a_power_mode_is_known_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, "etc/nvpmodel.conf", MODES)
    write(tmp_path, "var/lib/nvpmodel/status", "pmode:0002 fmode:fan_mode_quiet\n")
    assert told(tmp_path)["nvpmodel"] == "MAXN_SUPER"
    assert power_modes(Host(tmp_path)) == {"15W": 0, "25W": 1, "MAXN_SUPER": 2, "7W": 3}
    write(tmp_path, "var/lib/nvpmodel/status", "pmode:0007\n")
    assert "has no mode 7" in told(tmp_path)["reasons"]["nvpmodel"]
    write(tmp_path, "var/lib/nvpmodel/status", "fmode:quiet\n")
    assert "has no pmode" in told(tmp_path)["reasons"]["nvpmodel"]
    write(tmp_path, "etc/nvpmodel.conf", "# nothing\n")
    with pytest.raises(Unknown, match="has no POWER_MODEL"):
        power_modes(Host(tmp_path))


def test_swap_and_zram(tmp_path: Path) -> None:
    write(tmp_path, "proc/swaps", SWAPS)
    zram, file = told(tmp_path)["swaps"]
    assert zram == {
        "device": "/dev/zram0",
        "kind": "partition",
        "size_bytes": 1951192 * 1024,
        "used_bytes": 12 * 1024,
        "priority": 5,
        "zram": True,
    }
    assert (file["device"], file["kind"], file["priority"], file["zram"]) == ("/swap file", "file", -2, False)
    write(tmp_path, "proc/swaps", SWAPS.splitlines()[0] + "\n")
    assert told(tmp_path)["swaps"] == []
    write(tmp_path, "proc/swaps", "Filename\n/dev/sda1 partition\n")
    assert "not as expected" in told(tmp_path)["reasons"]["swaps"]


def test_a_domain_that_does_not_tell_its_clocks_hides_no_other(tmp_path: Path) -> None:
    for name, text in (("min_freq", "306000000\n"), ("max_freq", "306000000\n")):
        write(tmp_path, f"sys/class/devfreq/17000000.gpu/{name}", text)
    write(tmp_path, "sys/class/devfreq/other/min_freq", "306000000\n")
    assert told(tmp_path)["clocks_locked"] == {"devfreq.17000000.gpu": True, "devfreq.other": None}


@pytest.mark.parametrize(("text", "cores"), [("\n", []), ("(null)\n", []), ("1,3-5\n", [1, 3, 4, 5])])
def test_cores_set_apart(tmp_path: Path, text: str, cores: list[int]) -> None:
    for name in ("isolated", "nohz_full"):
        write(tmp_path, f"{CPU}/{name}", text)
    assert (told(tmp_path)["isolated_cores"], told(tmp_path)["nohz_full_cores"]) == (cores, cores)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)", "PREEMPT_DYNAMIC"),
        ("#1 SMP PREEMPT_RT Debian", "PREEMPT_RT"),
        ("#1 SMP PREEMPT Mon Jan 1", "PREEMPT"),
        ("#53-Ubuntu SMP", "none"),
    ],
)
def test_preemption(tmp_path: Path, version: str, kind: str) -> None:
    write(tmp_path, "proc/sys/kernel/version", version + "\n")
    assert told(tmp_path)["preemption"] == kind


class Asked(Host):
    """Notes which files are read."""

    def __init__(self, root: Path):
        super().__init__(root)
        self.paths: set[str] = set()

    def content(self, path: str) -> str:
        self.paths.add(path)
        return super().content(path)


def test_a_board_sends_every_file_that_is_asked_for(tmp_path: Path) -> None:
    shutil.copytree(TREES / "i5-desktop", tmp_path / "root", symlinks=True)
    write(tmp_path / "root", "etc/nvpmodel.conf", MODES)
    write(tmp_path / "root", "var/lib/nvpmodel/status", "pmode:0002\n")
    for name in ("min_freq", "max_freq"):
        write(tmp_path / "root", f"sys/class/devfreq/17000000.gpu/{name}", "1\n")
    (tmp_path / "root" / CPU / "intel_pstate/no_turbo").unlink()  # so that both drivers are asked
    host = Asked(tmp_path / "root")
    isolation(host)
    lacking = {p for p in host.paths if not any(fnmatch.fnmatch(p, q) for q in snapshot.FILES)}
    assert len(host.paths) > 15
    assert lacking == set()

"""A machine or its user may be called like a system or a sensor: the archive keeps its own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.probe.anonymity import Anonymiser, system_ids
from orchestrator.probe.archive import Archive
from orchestrator.probe.collect import Collection
from orchestrator.probe.take import anonymous


def test_a_name_that_is_a_word_of_the_kernel_spoils_nothing() -> None:
    anonymiser = Anonymiser({"hostname": {"cpu"}, "user": {"orin"}})
    assert anonymiser.content("sys-root/proc/stat", b"cpu 1 2") == b"cpu 1 2"
    assert anonymiser.path("sys-root/sys/devices/system/cpu/cpu0") == "sys-root/sys/devices/system/cpu/cpu0"
    model = "sys-root/sys/firmware/devicetree/base/model"
    assert anonymiser.content(model, b"nvidia orin\0") == b"nvidia orin\0"
    assert anonymiser.kept() == ["host name 'cpu'", "user name 'orin'"]


OS_RELEASE = (
    b'ID=%s\nID_LIKE="debian"\nNAME="NVIDIA Jetson for python of pi"\nHOME_URL="https://www.%s.org/"\n'
)
COMMON = [
    "ubuntu",
    "debian",
    "nvidia",
    "jetson",
    "python",
    "pi",
    "raspberrypi",
    "jetson-nano",
    "pi5",
    "board",
]


@pytest.mark.parametrize("name", [*COMMON, "alice", "volt", "facts", "rapl", "n", "errors", "sh", "Threads"])
def test_whatever_a_machine_is_called_its_archive_keeps_its_own_words(name: str) -> None:
    found = Collection()
    contents = {
        "sys-root/etc/os-release": OS_RELEASE.replace(b"%s", name.encode()),
        "sys-root/proc/77/stat": b"77 (python3) S 40 77 40 34816 -1 4194304 1\n",
        "sys-root/proc/77/status": b"Name:\tpython3\nPid:\t77\nThreads:\t1\n",
        "sys-root/sys/class/hwmon/hwmon0/name": name.encode() + b"\n",
        "sys-root/etc/nv_tegra_release": b"# R36, BOARD: generic, nvidia jetson\n",
        "commands/nvidia-smi_--query-gpu_name_driver_version": b"name\n",
        "commands/docker_version_--format___.Server.Version__": b"26.1\n",
    }
    for path, data in contents.items():
        found.reads[path], found.contents[path] = [(5, None)], data
    found.reads["sys-root/sys/class/powercap/rapl/energy_uj"] = [(5, "EACCES")]
    telemetry = b'{"type":"reading","source":"rapl.%s","value":null}\n' % name.encode()
    named = anonymous("x", found, telemetry, 77, Anonymiser({"hostname": {name}, "user": {name}}))
    nobody = anonymous("x", found, telemetry, 77, Anonymiser({}))
    assert named.contents == nobody.contents
    assert named.kept == ((f"host name {name!r}", f"user name {name!r}") if name in [*COMMON, "sh"] else ())


def test_a_name_that_stays_is_told() -> None:
    lines = Archive("x", {}, {}, ("host name 'debian'",)).listing()
    assert lines[-1] == "not replaced, being words that systems and sensors use: host name 'debian'"


def test_the_distributions_own_id_is_nobodys_name(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('NAME="Acme"\nID=acmeos\nID_LIKE="frob nix"\nVERSION_ID=12\n')
    assert system_ids(tmp_path) == {"acmeos", "frob", "nix"}
    words = {"hostname": {"acmeos"}, "user": {"acmeo"}}
    anonymiser = Anonymiser(words, system_ids(tmp_path))
    assert anonymiser.content("commands/x", b"acmeos acmeo") == b"acmeos user"
    assert anonymiser.kept() == ["host name 'acmeos'"]


def test_programs_and_paths_of_people_are_replaced() -> None:
    anonymiser = Anonymiser({"hostname": {"alices-pi"}, "user": {"alice", "old"}})
    stat = b"3112 (alice-tool) S 1 1\n"
    assert anonymiser.content("sys-root/proc/3112/stat", stat) == b"3112 (user-tool) S 1 1\n"
    status = b"Name:\talice\nalice:\t1\n"
    assert anonymiser.content("sys-root/proc/3112/status", status) == b"Name:\tuser\nalice:\t1\n"
    journal = b'{"old": "on", "name": "/home/alice/swap", "new": "off"}'
    path = "sys-root/var/lib/inferometer/tune-journal.json"
    assert anonymiser.content(path, journal) == b'{"old": "on", "name": "/home/user/swap", "new": "off"}'
    assert anonymiser.content("commands/x", b"http://alices-pi:1") == b"http://board:1"

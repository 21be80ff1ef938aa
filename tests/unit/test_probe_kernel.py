"""Control groups and the kernel's arguments: what is well known stays, whatever somebody chose goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.probe.anonymity import Anonymiser
from orchestrator.probe.kernel import ControlGroups, arguments

HEX = "d5c24aae8d5b5e8245cde4e31c9d374a35afdaa4307832c7e1f703237170e01d"
ZEROS = "0" * 64
SYSTEMD = "0::/user.slice/user-1001.slice/user@1001.service/app.slice/acme-secret.service\n"
TABLE = f"4:memory:/docker/{HEX}\n1:name=systemd:/acme-secret\n0::/../init.scope\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SYSTEMD, "0::/user.slice/user-1000.slice/user@1000.service/app.slice/group-1\n"),
        (TABLE, f"4:memory:/docker/{ZEROS}\n1:name=systemd:/group-1\n0::/../init.scope\n"),
        (f"0::/system.slice/docker-{HEX}.scope", f"0::/system.slice/docker-{ZEROS}.scope"),
        ("0::/system.slice/docker.service", "0::/system.slice/docker.service"),
        ("0::/a/b/a", "0::/group-1/group-2/group-1"),
        (f"0::/kubepods/besteffort/podx/{HEX}", f"0::/kubepods/besteffort/group-1/{ZEROS}"),
        ("0::/", "0::/"),
    ],
)
def test_groups(text: str, expected: str) -> None:
    for owner in ("3112", "self"):
        assert ControlGroups().content(f"sys-root/proc/{owner}/cgroup", text) == expected
    assert ControlGroups().content("sys-root/proc/3112/status", text) == text


def test_a_group_has_one_stand_in_in_paths_and_contents() -> None:
    anonymiser = Anonymiser({})
    assert (
        anonymiser.content("sys-root/proc/3112/cgroup", b"4:memory:/x/acme\n")
        == b"4:memory:/group-1/group-2\n"
    )
    for mount in ("", "memory/", "cpu,cpuacct/", "unified/"):
        path = f"sys-root/sys/fs/cgroup/{mount}x/acme/memory.current"
        assert anonymiser.path(path) == f"sys-root/sys/fs/cgroup/{mount}group-1/group-2/memory.current"
    assert anonymiser.path("sys-root/sys/fs/cgroup/cgroup.controllers").endswith("/cgroup/cgroup.controllers")
    assert anonymiser.path("sys-root/sys/class/acme/x") == "sys-root/sys/class/acme/x"
    assert anonymiser.times["control_group"] == 10


@given(st.text(st.characters(blacklist_characters="/:\n\0", blacklist_categories=("Cs",)), min_size=1))
def test_no_name_that_somebody_chose_comes_through(name: str) -> None:
    group = f"Secret-{name}"
    assert group not in ControlGroups().content("sys-root/proc/1/cgroup", f"0::/{group}/x\n")


@pytest.mark.parametrize(
    ("text", "expected", "times"),
    [
        ("quiet isolcpus=2-3 console=ttyS0,115200", "quiet isolcpus=2-3 console=ttyS0,115200", 0),
        ("acme.token=hunter2 acme", "removed=removed removed", 2),
        ("BOOT_IMAGE=/vmlinuz-acme root=UUID=12 ro", "BOOT_IMAGE=removed root=removed ro", 2),
        ("cgroupalice idlehands=x console=/home/alice", "removed removed=removed removed=removed", 3),
        ("mitigations=off -- --password x", "mitigations=off", 0),
    ],
)
def test_arguments_of_the_kernel(text: str, expected: str, times: int) -> None:
    assert arguments(text + "\n") == (expected + "\n", times)

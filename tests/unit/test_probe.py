"""An archive of nobody's machine: what is taken out, what stays, and how it looks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import InferometerError
from orchestrator.probe.anonymity import STAND_INS, Anonymiser, identifying
from orchestrator.probe.archive import Archive, destination, save
from orchestrator.probe.collect import Collection, file_name
from orchestrator.probe.processes import Renumbering
from orchestrator.probe.take import anonymous

MACHINE_ID, BOOT_ID = "9d8c7b6a5f4e3d2c1b0a998877665544", "c0ffee00-1234-4abc-9def-00112233aabb"
CONTAINER = "d5c24aae8d5b5e8245cde4e31c9d374a35afdaa4307832c7e1f703237170e01d"
SECRETS = {
    "etc/hostname": "alices-pi\n",
    "etc/machine-id": f"{MACHINE_ID}\n",
    "proc/sys/kernel/random/boot_id": f"{BOOT_ID}\n",
    "sys/class/net/eth0/address": "dc:a6:32:01:02:03\n",
    "sys/firmware/devicetree/base/serial-number": "10000000abcdef12\0",
    "proc/net/if_inet6": "fe80000000000000dea632fffe010203 02 40 20 80     eth0\n",
}


def board(root: Path) -> Path:
    """A machine with an owner."""
    for path, text in SECRETS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def clean(tmp_path: Path) -> Anonymiser:
    words = identifying(board(tmp_path))
    words["user"] = {"alice"}
    return Anonymiser(words)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "proc/cpuinfo",
            "Revision\t: d04170\nSerial\t\t: 10000000abcdef99\n",
            "Serial\t\t: 0000000000000000\n",
        ),
        ("etc/machine-id", MACHINE_ID, STAND_INS["machine_id"]),
        ("proc/sys/kernel/random/boot_id", BOOT_ID.upper(), STAND_INS["boot_id"]),
        ("etc/x", "dc:a6:32:01:02:03 DC-A6-32-01-02-04", "02:00:00:00:00:00 02:00:00:00:00:00"),
        ("etc/x", "dca632010203 10000000abcdef12", "02:00:00:00:00:00 0000000000000000"),
        ("etc/x", "192.168.178.33 fe80::dea6:32ff:fe01:203", "192.0.2.1 2001:db8::1"),
        ("proc/swaps", "/home/alice/swapfile file 1 0 -2", "/home/user/swapfile"),
        (
            "proc/3112/cgroup",
            f"0::/lxc.payload.alices-pi/docker-{CONTAINER}.scope",
            f"0::/group-1/docker-{'0' * 64}.scope",
        ),
        (
            "proc/cmdline",
            "root=PARTUUID=abcd-02 cgroup_disable=memory token x=y",
            "root=removed cgroup_disable=memory removed removed=removed\n",
        ),
        ("proc/stat", "intr 1795775605\nbtime 1795775605\n", "intr 1795775605\nbtime 1700000000\n"),
        ("proc/cmdline", "quiet -- --password hunter2", "quiet\n"),
    ],
)
def test_what_tells_the_owner_is_replaced(tmp_path: Path, path: str, text: str, expected: str) -> None:
    anonymiser = clean(tmp_path)
    found = anonymiser.content(f"sys-root/{path}", text.encode()).decode()
    assert expected in found
    assert sum(anonymiser.times.values()) >= (0 if "quiet" in text else 1)
    for secret in (
        "alice",
        "hunter2",
        "abcd-02",
        "token",
        MACHINE_ID,
        BOOT_ID,
        "abcdef12",
        "abcdef99",
        "178.33",
        "dca632",
    ):
        assert secret.lower() not in found.lower()


@pytest.mark.parametrize(
    "text",
    [
        "cpu  3357 0 1234 99 1 12 34 56 0 0\n",
        "EXT5V_V volt(24)=5.14158000V\n",
        "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n",
        "throttled=0x50005\n",
        "127.0.0.1 0.0.0.0",
        "VDD_IN 5704mW/5704mW cpu@46.531C\n",
        "65532610987\n",
    ],
)
def test_what_tells_of_the_machine_stays(tmp_path: Path, text: str) -> None:
    assert clean(tmp_path).content("commands/x", text.encode()).decode() == text


@given(st.binary())
def test_every_byte_without_a_secret_comes_through(data: bytes) -> None:
    anonymiser = Anonymiser({"user": {"alice"}})
    found = anonymiser.content("commands/x", data)
    assert found == data or anonymiser.times


def test_serial_numbers_that_nobody_filled_in_are_no_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    for name, text in (
        ("product_serial", "Not Specified"),
        ("board_serial", "0"),
        ("chassis_serial", "000000"),
    ):
        (folder / name).write_text(text)
    assert identifying(tmp_path)["serial_number"] == set()


def test_processes_get_the_numbers_of_our_recordings() -> None:
    stat = b"77 (python (x)) S 40 77 40 34816 -1 4194304 1\n"
    contents = {
        "sys-root/proc/77/stat": stat,
        "sys-root/proc/77/status": b"Name:\tsh\nPid:\t77\nPPid:\t40\nUid:\t1001\t1001\nVmRSS:\t   77 kB\n",
        "sys-root/proc/77/task/77/children": b"80 99 ",
        "sys-root/proc/77/task/79/children": b"",
        "sys-root/proc/80/stat": b"80 (sh) S 77 77 0 0 -1 4 80\n",
        "sys-root/proc/stat": b"cpu 77 80\n",
        "sys-root/sys/fs/cgroup/x/cgroup.procs": b"40\n77\n80\n",
    }
    renumbered = Renumbering(77, contents)
    assert renumbered.contents(contents) == {
        "sys-root/proc/3112/stat": b"3112 (python (x)) S 1 3112 1 34816 -1 4194304 1\n",
        "sys-root/proc/3112/status": (
            b"Name:\tsh\nPid:\t3112\nPPid:\t1\nUid:\t1000\t1000\nVmRSS:\t   77 kB\n"
        ),
        "sys-root/proc/3112/task/3112/children": b"3134 ",
        "sys-root/proc/3112/task/3133/children": b" ",
        "sys-root/proc/3134/stat": b"3134 (sh) S 3112 3112 0 0 -1 4 80\n",
        "sys-root/proc/stat": b"cpu 77 80\n",
        "sys-root/sys/fs/cgroup/x/cgroup.procs": b"3112\n3134\n",
    }
    assert renumbered.owners == 2


def test_files_are_read_again_and_again_and_their_errors_kept(tmp_path: Path) -> None:
    (tmp_path / "sys/a").mkdir(parents=True)
    (tmp_path / "sys/a/temp").write_bytes(b"41000\n")
    (tmp_path / "sys/a/uevent").mkdir()
    os.mkfifo(tmp_path / "sys/a/pipe")  # reading it would last for ever
    found = Collection()
    found.reads["sys-root/sys/a/kept"] = [(5, None)]
    (tmp_path / "sys/a/kept").write_bytes(b"new")
    found.files(tmp_path, ["sys/*/*", "sys/none/*"])
    assert found.contents == {"sys-root/sys/a/temp": b"41000\n"}
    assert len(found.reads["sys-root/sys/a/temp"]) == 20
    assert found.reads["sys-root/sys/a/kept"] == [(5, None)]


def test_commands() -> None:
    found = Collection()
    found.command(["echo", "two", "words"])
    found.command(["no-such-command", "-q"])
    endless = ["sh", "-c", "while :; do echo line; sleep 0.01; done"]
    found.command(endless, 3)
    assert found.contents["commands/echo_two_words"] == b"two words\n"
    assert found.contents[f"commands/{file_name(endless)}"] == b"line\n" * 3
    assert [error for _, error in found.reads["commands/no-such-command_-q"]] == ["ENOENT"]


def test_threads_without_children_are_left_out() -> None:
    found = Collection()
    for task, data in (
        ("77/task/77", b""),
        ("77/task/78", b"80 "),
        ("77/task/79", b""),
        ("80/task/80", b" "),
    ):
        found.reads[f"sys-root/proc/{task}/children"] = [(5, None)]
        found.contents[f"sys-root/proc/{task}/children"] = data
    archive = anonymous("x", found, b"", 77, Anonymiser({}))
    expected = {f"sys-root/proc/3112/task/{task}/children" for task in (3112, 3133)}
    assert {path for path in archive.contents if path.endswith("children")} == expected
    assert json.loads(archive.contents["latencies.json"]).keys() == expected
    assert json.loads(archive.contents["errors.json"]) == {}


def test_the_listing_is_short() -> None:
    paths = [f"sys-root/sys/class/hwmon/hwmon{n}/temp{m}_input" for n in range(9) for m in range(9)]
    paths += [f"sys-root/proc/{n}/stat" for n in range(30)] + [
        "commands/x",
        "devices/dev/vcio/y",
        "facts.json",
    ]
    paths += ["telemetry.jsonl", "errors.json", "sys-root/etc/os-release", "sys-root/sys/fs/cgroup/x"]
    paths += ["sys-root/sys/devices/system/cpu/smt/control", "sys-root/proc/sys/kernel/osrelease"]
    lines = Archive("x", dict.fromkeys(paths, b"12"), {"user": 1}).listing()
    assert lines == [
        "  1 file         2 bytes  readings of five seconds",
        "  2 files        4 bytes  what commands and the firmware answer",
        " 81 files      162 bytes  power and temperatures (/sys)",
        "  1 file         2 bytes  clocks and cores (/sys)",
        "  2 files        4 bytes  which board it is (/etc, device tree, DMI)",
        " 31 files       62 bytes  memory, load, our own processes (/proc, cgroups)",
        "  2 files        4 bytes  errors and durations of every read",
        "replaced by made-up values: user once",
    ]


def test_errors_and_latencies_tell_of_every_read(tmp_path: Path) -> None:
    found = Collection()
    found.reads["sys-root/proc/77/stat"] = [(ns * 1000, None) for ns in range(1, 21)]
    found.contents["sys-root/proc/77/stat"] = b"77 (x) S 1 1 1 0 -1 4\n"
    found.reads["sys-root/sys/x/energy_uj"] = [(900, "EACCES")]
    found.reads["sys-root/sys/x/temp"] = [(100, "EAGAIN"), (300, None)]
    found.contents["sys-root/sys/x/temp"] = b"1\n"
    found.reads["sys-root/proc/80/stat"] = [(100, None), (100, "ENOENT")]
    found.contents["sys-root/proc/80/stat"] = b"80 (gone) S 77 1 1 0 -1 4\n"
    archive = anonymous("rpi5", found, b'{"type":"clock"}\n', 77, clean(tmp_path))
    assert json.loads(archive.contents["errors.json"]) == {
        "sys-root/sys/x/energy_uj": "EACCES",
        "sys-root/proc/3133/stat": "ENOENT",
    }
    assert "sys-root/proc/3133/stat" not in archive.contents  # it ended while we looked
    latencies = json.loads(archive.contents["latencies.json"])
    assert latencies["sys-root/proc/3112/stat"] == {"n": 20, "p50_ns": 10_000, "p95_ns": 19_000, "errors": {}}
    assert latencies["sys-root/sys/x/temp"] == {"n": 1, "p50_ns": 300, "p95_ns": 300, "errors": {"EAGAIN": 1}}
    assert latencies["sys-root/sys/x/energy_uj"]["p50_ns"] is None
    assert set(json.loads(archive.contents["facts.json"])) == {
        "inferometer",
        "kernel",
        "arch",
        "python",
        "docker",
    }


def test_the_file_is_the_same_for_the_same_and_names_nobody(tmp_path: Path) -> None:
    contents = {"sys-root/proc/stat": b"cpu 1\n", "errors.json": b"{}\n"}
    archive = Archive("rpi5", contents, {"user": 2})
    for name in ("a.tar.gz", "b.tar.gz"):
        save(archive, tmp_path / name)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        members = tar.getmembers()
        manifest = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert [entry.name for entry in members] == ["manifest.json", *sorted(contents)]
    assert {(entry.uid, entry.uname, entry.mtime, entry.mode) for entry in members} == {(0, "", 0, 0o644)}
    assert manifest["files"] == {path: hashlib.sha256(data).hexdigest() for path, data in contents.items()}
    assert manifest["replaced"]["user"] == {"with": "user", "times": 2}
    assert archive.listing()[-1] == "replaced by made-up values: user 2 times"
    assert len(archive.listing()) == 3


def test_where_it_goes(tmp_path: Path) -> None:
    assert destination(None, "rpi5").match("inferometer-probe-rpi5-20[0-9][0-9]*.tar.gz")
    assert destination(tmp_path / "x.tar.gz", "rpi5") == tmp_path / "x.tar.gz"
    for wrong in (tmp_path, tmp_path / "none" / "x.tar.gz"):
        with pytest.raises(InferometerError, match="no file can be there; name one"):
            destination(wrong, "rpi5")
    for there in ("x.tar.gz", "link"):
        (tmp_path / "x.tar.gz").touch()
        with contextlib.suppress(FileExistsError):
            (tmp_path / "link").symlink_to("nowhere")
        with pytest.raises(
            InferometerError, match="is there already; choose another with --out, or delete it"
        ):
            destination(tmp_path / there, "rpi5")

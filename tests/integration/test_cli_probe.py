"""``inferometer probe`` on this very machine: what its file holds, and what not."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import pwd
import re
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.probe.anonymity import system_ids
from orchestrator.probe.names import is_common
from tests.support import doubles
from tests.support.newcomer import environment, inferometer, refused

TELEMETRY = doubles.ROOT / "orchestrator" / "telemetry"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One probe of this machine, unpacked: it takes some seconds."""
    place = tmp_path_factory.mktemp("probe")
    done = inferometer(place, "probe", "--yes", "--out", "found.tar.gz", "--device", "x86")
    assert (done.returncode, done.stdout) == (0, "found.tar.gz\n"), done.stderr
    assert "replaced by made-up values: " in done.stderr
    assert done.stderr.splitlines()[-1] == "look inside: tar tzf found.tar.gz"
    assert len(done.stderr.splitlines()) <= 10
    with tarfile.open(place / "found.tar.gz") as tar:
        tar.extractall(place / "unpacked", filter="data")
    return place / "unpacked"


def files(archive: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(archive)): path.read_bytes() for path in archive.rglob("*") if path.is_file()
    }


def last_readings(lines: list[str]) -> dict[str, Any]:
    """The last value or reason of every source."""
    found = [json.loads(line) for line in lines]
    return {line["source"]: (line["value"], line["reason"]) for line in found if line["type"] == "reading"}


def test_the_manifest_holds_every_file(archive: Path) -> None:
    found = files(archive)
    manifest = json.loads(found.pop("manifest.json"))
    assert manifest["files"] == {path: hashlib.sha256(data).hexdigest() for path, data in found.items()}
    assert manifest["device"] == "x86"
    assert {"telemetry.jsonl", "errors.json", "latencies.json", "facts.json"} <= found.keys()
    assert {"sys-root/proc/cpuinfo", "sys-root/proc/meminfo", "sys-root/proc/loadavg"} <= found.keys()
    assert "commands/uname_-srm" in found


def test_sources_read_from_it_what_they_read_here(archive: Path) -> None:
    here = last_readings((archive / "telemetry.jsonl").read_text().splitlines())
    words = ["--root", str(archive / "sys-root"), "--pid", "3112", "--once"]  # which waits for slow ones
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-s", str(TELEMETRY), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    there = last_readings(done.stdout.splitlines())
    # Libraries, commands and sockets are not files of the tree.
    elsewhere = ("nvml", "perf_energy", "vcgencmd", "rpi_pmic", "tegrastats", "jtop")
    for source, said in here.items():
        assert there.get(source) == said or source.startswith(elsewhere), source
    assert here["process.vm_hwm"][0] is not None
    assert here["host.memory_available"][0] is not None


def test_it_was_watched_for_a_while(archive: Path) -> None:
    lines = [json.loads(line) for line in (archive / "telemetry.jsonl").read_text().splitlines()]
    assert [lines[0]["type"], lines[-1]["type"]] == ["clock", "end"]
    latencies = json.loads((archive / "latencies.json").read_text())
    assert latencies["sys-root/proc/stat"]["n"] >= 15
    assert 0 < latencies["sys-root/proc/stat"]["p50_ns"] <= latencies["sys-root/proc/stat"]["p95_ns"] < 1e9
    errors = json.loads((archive / "errors.json").read_text())
    assert all(re.fullmatch("E[A-Z]+", error) for error in errors.values())
    assert not errors.keys() & files(archive).keys()


def test_it_names_nobody(archive: Path) -> None:
    secrets = {
        Path(path).read_text().strip()
        for path in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id")
        if Path(path).exists()
    }
    secrets |= {path.read_text().strip() for path in Path("/sys/class/net").glob("*/address")}
    names = {socket.gethostname(), pwd.getpwuid(os.getuid()).pw_name, os.environ.get("USER", "")}
    secrets |= {name for name in names if not is_common(name, system_ids())}
    secrets -= {"", "root", "00:00:00:00:00:00"}
    assert len(secrets) >= 2
    for path, data in files(archive).items():
        for secret in secrets:
            whole = re.compile(
                rb"(?<![0-9A-Za-z_])%s(?![0-9A-Za-z_])" % re.escape(secret).encode(), re.IGNORECASE
            )
            assert not whole.search(path.encode()), path
            assert not whole.search(data), (path, secret)
    cmdline = Path("/proc/cmdline").read_text().split()
    kept = (archive / "sys-root/proc/cmdline").read_text()
    for word in cmdline:
        name, _, value = word.partition("=")
        assert not name.startswith("rdinit") or value not in kept
    assert "--" not in kept


def test_nothing_is_written_unless_somebody_says_so(tmp_path: Path) -> None:
    refused(inferometer(tmp_path, "probe"), "nobody is there to answer; give --yes")
    refused(inferometer(tmp_path, "probe", "--yes", "--out", "none/x.tar.gz"), "no file can be there")
    refused(inferometer(tmp_path, "probe", "--yes", "--device", "rpi6"), "rpi6")
    assert not list(tmp_path.glob("*.gz"))


def test_closed_input_is_nobody_and_nothing_is_read(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m orchestrator probe --device rpi6 <&-"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    refused(done, "nobody is there to answer; give --yes")  # else the device would be refused


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = inferometer(tmp_path, "probe", "--yes", "--out", "mine")
    refused(done, "mine is there already; choose another with --out, or delete it")
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize(("answer", "status"), [(b"n\n", 2), (b"\x03", 130), (b"\x04", 130)])
def test_no_is_an_answer(tmp_path: Path, answer: bytes, status: int) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        # A terminal of its own, which turns ^C into a signal.
        ["setsid", "--ctty", sys.executable, "-m", "orchestrator", "probe"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout and child.stderr
        said = b""
        while b"[y/N]" not in said and (part := os.read(child.stderr.fileno(), 1 << 16)):
            said += part
        until = time.monotonic() + 30
        while child.poll() is None and time.monotonic() < until:
            os.write(leader, answer)  # again, as it may come before it is waited for
            time.sleep(0.2)
        child.kill()
        out, rest = child.communicate()
    os.close(leader)
    os.close(follower)
    assert (child.returncode, out) == (status, b"")
    assert b"Write inferometer-probe-" in said
    assert b"inferometer: nothing was written" in rest
    assert b"Traceback" not in rest
    assert not list(tmp_path.glob("*.gz"))

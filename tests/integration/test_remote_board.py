"""``HOST=ssh://...``: a whole bench on another Docker Engine, through a real sshd.

The board is this machine with an engine of its own (tests/support/boards.py). What is carried there once,
what survives a broken link, what is left behind, and what a user reads when it does not work.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.catalog import suite_root
from orchestrator.engines import images
from orchestrator.engines.connection import LABEL
from tests.support.benches import wait_for
from tests.support.boards import Board, board, ready
from tests.support.remote import QUICK, bench, left, start, telemetry

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory, double_image: Any) -> Iterator[Board]:
    """The board, with its lock and its telemetry in places of its own."""
    with ready(tmp_path_factory.mktemp("board")) as made:
        yield made


def test_a_bench_there_is_a_bench(pi: Board, tmp_path: Path) -> None:
    # Long enough for telemetry to begin, however busy the machine is.
    code, told, document = bench(pi, tmp_path, "--option", "fake.latency_ns=5000000")
    assert code == 0, told
    assert "carrying inferometer/fake:" in told
    (row,) = document["cases"]
    assert (row["engine"], row["emulated"], row["launches"]) == ("docker", False, 3)
    assert row["p50_ns"] > 0
    header = json.loads((tmp_path / "run/run.json").read_bytes())
    assert header["identity"]["remote"] is True
    assert header["identity"]["machine"] and header["environment"]["kernel"]
    assert "localhost" not in json.dumps(header)  # nor any other address
    records = [json.loads(line) for line in (tmp_path / "run/trials.jsonl").read_text().splitlines()]
    for record in records:
        assert record["telemetry"]["telemetry"]["reason"] is None, record["telemetry"]
        assert record["memory"]["vm_hwm_bytes"] > 0
    assert left(pi) == []


def test_what_was_carried_once_stays_there(pi: Board, tmp_path: Path) -> None:
    volumes = pi.run("volume", "ls", "-q").split()
    assert volumes
    code, told, _ = bench(pi, tmp_path)
    assert code == 0
    assert "carrying" not in told
    assert pi.run("volume", "ls", "-q").split() == volumes


def test_a_trial_outlives_a_broken_link(pi: Board, tmp_path: Path) -> None:
    slow = ("--launches", "1", "--option", "fake.latency_ns=20000000", "--timeout", "15")
    results = tmp_path / "run"
    with start(pi, tmp_path, "bench", "--host", pi.address, "--results", results, *QUICK, *slow) as child:
        wait_for(lambda: bool(telemetry()), 60)
        time.sleep(1)  # by now its end is waited for
        pi.cut()
        time.sleep(18)  # the trial ends meanwhile, in time, and its time ends as well
        assert child.poll() is None
        pi.start_sshd()
        _, told = child.communicate(timeout=120)
    assert child.returncode == 0, told
    (record,) = [json.loads(line) for line in (results / "trials.jsonl").read_text().splitlines()]
    assert record["status"] == "ok" and record["latency"]["p50_ns"] >= 20_000_000
    assert record["telemetry"]["telemetry"]["reason"] is None
    assert left(pi) == []


@pytest.mark.parametrize("number", range(int(os.environ.get("INTERRUPTS", "3"))))
def test_an_interrupted_trial_leaves_nothing(pi: Board, tmp_path: Path, number: int) -> None:
    slow = ("--option", "fake.latency_ns=20000000", "--timeout", "60")
    results = tmp_path / "run"
    with start(pi, tmp_path, "bench", "--host", pi.address, "--results", results, *QUICK, *slow) as child:
        wait_for(lambda: bool(pi.run("ps", "-q").split()), 60)
        time.sleep(0.1 * (number % 10))  # another moment each time
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130, child.stderr and child.stderr.read()
    wait_for(lambda: left(pi) == [], 20)
    assert left(pi) == []


def test_what_a_killed_bench_left_is_removed_by_the_next(
    pi: Board, tmp_path: Path, double_image: Any
) -> None:
    slow = ("--option", "fake.latency_ns=50000000", "--timeout", "60")
    results = tmp_path / "run"
    with start(pi, tmp_path, "bench", "--host", pi.address, "--results", results, *QUICK, *slow) as child:
        wait_for(lambda: bool(telemetry()), 60)
        child.kill()
    wait_for(lambda: not masters(pi), 20)
    assert masters(pi) == []  # no connection outlives its bench
    volume, mount = "inferometer-output-cut", "inferometer-output-cut:/data/volume"
    labels = ("--label", f"{LABEL}={images.NO_DEVICE}")
    pi.run("create", "--name", f"{volume}-carrier", *labels, "-v", mount, double_image.tag)
    code, told, _ = bench(pi, tmp_path / "next", "--launches", "1")
    assert code == 0, told
    wait_for(lambda: left(pi) == [], 20)
    assert left(pi) == []


def masters(pi: Board) -> list[int]:
    """Clients that hold a connection to the board."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "ssh" and str(pi.folder) in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:  # it has ended
            continue
    return found


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("ssh://root@localhost:1", "cannot be reached: .*Connection refused; start sshd there"),
        ("root@localhost", "HOST=root@localhost: write ssh://user@board"),
        ("ssh://root@nowhere.invalid", "cannot be reached: .*; mend the name"),
        ("ssh://-oProxyCommand=x", "HOST=ssh://-oProxyCommand=x"),
        ("ssh://root@localhost:none", "HOST=ssh://root@localhost:none: write ssh://user@board"),
        ("ssh://root@localhost:99999", "HOST=ssh://root@localhost:99999: write ssh://user@board"),
        ("ssh://[x", "write ssh://user@board"),
    ],
)
def test_a_board_out_of_reach_is_one_line(pi: Board, tmp_path: Path, host: str, words: str) -> None:
    code, told, document = bench(pi, tmp_path, host=host)
    assert (code, document) == (2, None)
    assert told.count("\n") == 1, told
    assert re.search(words, told), told


def test_another_host_key_is_never_taken(pi: Board, tmp_path: Path) -> None:
    known = (pi.folder / "known_hosts").read_text()
    other = (pi.folder / "user.pub").read_text().split()
    try:
        pi.trust(" ".join(other[:2]))
        code, told, _ = bench(pi, tmp_path)
        assert (code, told.count("\n")) == (2, 1), told
        assert "its host key has changed; if that is right, `ssh-keygen -R`" in told
        (pi.folder / "known_hosts").write_text("")
        code, told, _ = bench(pi, tmp_path)
        assert (code, told.count("\n")) == (2, 1), told
        assert "its host key is not known here; connect once by hand" in told
    finally:
        (pi.folder / "known_hosts").write_text(known)


def test_a_key_that_is_not_let_in(pi: Board, tmp_path: Path) -> None:
    keys = pi.folder / "authorized_keys"
    before = keys.read_text()
    try:
        keys.write_text("")
        code, told, _ = bench(pi, tmp_path)
    finally:
        keys.write_text(before)
    assert (code, told.count("\n")) == (2, 1), told
    assert "Permission denied" in told and "ssh-copy-id" in told


def test_two_benches_of_one_board_do_not_meet(pi: Board, tmp_path: Path) -> None:
    slow = ("--option", "fake.latency_ns=20000000", "--timeout", "60")
    results = tmp_path / "first"
    with start(pi, tmp_path, "bench", "--host", pi.address, "--results", results, *QUICK, *slow) as child:
        wait_for(lambda: bool(telemetry()), 60)
        (tmp_path / "other").mkdir()
        code, told, _ = bench(pi, tmp_path / "other")
        child.send_signal(signal.SIGINT)
        child.wait(60)
    assert (code, told.count("\n")) == (2, 1), told
    assert re.search(r"is in use by process \d+ for a bench of ", told), told


def test_an_image_is_built_there(pi: Board, tmp_path: Path, double_image: Any) -> None:
    """From a base that the board holds; nothing is built or held here."""
    suite = tmp_path / "suite"
    for name in ("orchestrator", "runners", "models", "Dockerfiles"):
        shutil.copytree(suite_root() / name, suite / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert double_image.tag in pi.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    text = f"FROM {double_image.tag}\nCOPY sdk/inferometer_sdk.py fake/*.py /runner/\nUSER 10001:10001\n"
    (suite / "Dockerfiles/fake.Dockerfile").write_text(text)
    code, told, document = bench(pi, tmp_path, "--build", "there", "--launches", "1", suite=suite)
    assert code == 0, told
    assert "building inferometer/fake:" in told and "carrying" not in told
    assert document["cases"][0]["p50_ns"] > 0
    tag = next(word for word in told.split() if word.startswith("inferometer/fake:"))
    here = subprocess.run(["docker", "image", "inspect", tag], capture_output=True)
    assert here.returncode != 0


def test_a_full_disk_there_is_one_line(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, double_image: Any
) -> None:
    small = tmp_path_factory.mktemp("full")  # a short path: the engine's sockets lie below it
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", small], check=True)
    try:
        with board(small) as full:
            code, told, document = bench(full, tmp_path)
            held = full.run("images", "-q").split()
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", small], check=True)
    assert (code, held) == (3, []), told
    (skip,) = document["skips"]
    assert re.fullmatch(
        r"root@localhost does not take inferometer/fake:\w+ \(no space left on device; "
        r"free space there: docker system prune\)",
        skip["reason"],
    ), skip

"""``doctor --host``: what a bench on a board would stumble over, without disturbing or leaving anything."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.benches import wait_for
from tests.support.boards import Board, ready
from tests.support.remote import QUICK, left, start, telemetry

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory, double_image: Any) -> Iterator[Board]:
    """The board, with its lock and its telemetry in places of its own."""
    with ready(tmp_path_factory.mktemp("board")) as made:
        yield made


def doctor(pi: Board, folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and the checks by name."""
    with start(pi, folder, "doctor", *words, "--json") as child:
        told, said = child.communicate()
    assert told, said
    return child.returncode, {check["name"]: check for check in json.loads(told)}


def test_doctor_looks_at_the_board(pi: Board, tmp_path: Path) -> None:
    code, found = doctor(pi, tmp_path, "--host", pi.address)
    assert code == 0, found
    for name in ("ssh", "python there", "device", "docker engine there", "telemetry there", "other benches"):
        assert found[name]["state"] == "ok", found[name]
    assert found["disk there"]["state"] in ("ok", "warning")
    assert str(pi.folder / "data") in found["disk there"]["detail"]
    assert "host.memory_available" in found["telemetry there"]["detail"]
    assert left(pi) == []


def test_an_interrupted_doctor_leaves_nothing(pi: Board, tmp_path: Path) -> None:
    with start(pi, tmp_path, "doctor", "--host", pi.address) as child:
        wait_for(lambda: bool(telemetry()), 60)
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130
    wait_for(lambda: left(pi) == [], 20)
    assert left(pi) == []


def test_doctor_does_not_disturb_a_bench(pi: Board, tmp_path: Path) -> None:
    slow = ("--option", "fake.latency_ns=20000000", "--timeout", "60")
    results = tmp_path / "run"
    with start(pi, tmp_path, "bench", "--host", pi.address, "--results", results, *QUICK, *slow) as child:
        wait_for(lambda: bool(telemetry()), 60)
        (tmp_path / "other").mkdir()
        _, found = doctor(pi, tmp_path / "other", "--host", pi.address)
        child.send_signal(signal.SIGINT)
        child.wait(60)
    assert "is in use by process" in found["other benches"]["detail"]
    assert "telemetry there" not in found


def test_doctor_names_what_a_board_lacks(pi: Board, tmp_path: Path) -> None:
    code, found = doctor(pi, tmp_path, "--device", "rpi5", "--host", pi.address)
    assert (code, found["device"]["state"]) == (2, "missing")
    assert "not rpi5" in found["device"]["detail"]
    code, found = doctor(pi, tmp_path, "--host", "ssh://root@localhost:1")
    assert (code, "Connection refused" in found["ssh"]["detail"]) == (2, True)
    assert "start sshd there" in found["ssh"]["fix"]

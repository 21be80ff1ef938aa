"""One connection to a board: what breaks, is mended and held, through a real sshd."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator import choices
from orchestrator.domain import InferometerError
from orchestrator.engines import guard, jtop, observer, ssh
from orchestrator.engines.remote_observer import RemoteObserver
from orchestrator.engines.ssh import Link
from orchestrator.measurement import parse_lines
from tests.support.boards import Board, ready

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with ready(tmp_path_factory.mktemp("board")) as made:
        yield made


@pytest.fixture
def link(machine: Board, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    monkeypatch.setenv("PATH", machine.environment()["PATH"])
    made = Link(machine.address)
    made.open()
    yield made
    made.close()


def another(machine: Board, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Link:
    """A connection from elsewhere: it shares no files with the first one."""
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    made = Link(machine.address)
    made.open()
    return made


def test_a_mended_link_holds_the_lock_again(
    machine: Board, link: Link, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link.hold("a bench of one")
    machine.cut()
    machine.start_sshd()
    assert link.persist(lambda: link.run("echo here")) == b"here\n"
    other = another(machine, tmp_path, monkeypatch)
    try:
        with pytest.raises(
            InferometerError, match=r"in use by process \d+ for a bench of one, so a bench of two"
        ):
            other.hold("a bench of two")
        link.close()
        for _ in range(100):  # the board notices the end in its own time
            try:
                other.hold("a bench of two")
                break
            except InferometerError:
                time.sleep(0.1)
        else:
            pytest.fail("the lock outlives its connection")
    finally:
        other.close()


def test_a_guard_of_ours_that_nobody_ended_gives_way(link: Link) -> None:
    # As after a cut cable: the board's sshd does not know yet that we are gone.
    stale = subprocess.Popen(
        [sys.executable, "-c", guard.PROGRAM, link._token.text, "a bench of before"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert stale.stdout and stale.stdout.readline() == b"held\n"
    link.hold("a bench of now")
    stale.communicate()
    assert stale.returncode != 0


def test_a_link_that_stays_away_ends_in_one_line(machine: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", machine.environment()["PATH"])
    monkeypatch.setattr(ssh, "_PATIENCE_S", 3.0)
    try:
        with (
            pytest.raises(InferometerError, match="the connection is gone .*; give the same command again"),
            choices.reach(machine.address) as (_, link),
        ):
            assert link
            machine.cut()
            link.persist(lambda: link.run("true"))
    finally:
        machine.start_sshd()


def test_jetson_stats_is_asked_at_the_far_end(link: Link) -> None:
    # No board of a test has it; that is the program's own answer, and no failure of the way there.
    found = jtop.facts(link, deadline_s=5)
    assert (found["reason"], found["said"]) == ("no_sensor", "there is no command jtop")
    assert found["t0_ns"] <= found["t1_ns"]


def test_sensors_are_read_over_the_link_also_after_a_break(machine: Board, link: Link) -> None:
    there = RemoteObserver(link)
    for _ in range(2):
        lines = parse_lines(there.once(observer.once(("meminfo", "thermal"))))
        assert "host.memory_available" in {line["source"] for line in lines}
        machine.cut()
        machine.start_sshd()

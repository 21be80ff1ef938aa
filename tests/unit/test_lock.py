"""One bench per machine, whatever becomes of its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import lock
from orchestrator.domain import InferometerError

HOLDER = """
import sys
from pathlib import Path
from orchestrator import lock
with lock.hold("results/first", Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[bytes]:
    """Another process that holds the lock until its standard input closes."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout
    assert child.stdout.readline() == b"held\n"
    return child


def test_the_second_is_refused_naming_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        with pytest.raises(InferometerError) as caught, lock.hold("second", tmp_path):
            pytest.fail("two at once")
        assert str(caught.value) == (
            f"this machine is in use by process {first.pid} for results/first; wait for it or stop it"
        )
        first.communicate()
    with lock.hold("second", tmp_path):
        pass


def test_a_holder_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
        with lock.hold("second", tmp_path):
            assert f'"pid": {os.getpid()}' in (tmp_path / "inferometer.lock").read_text()


def test_children_of_the_holder_do_not_keep_it(tmp_path: Path) -> None:
    with lock.hold("first", tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child, lock.hold("second", tmp_path):
        child.communicate(b"\n")


def test_the_refusal_says_what_it_is_held_for_by_now(tmp_path: Path) -> None:
    with lock.hold("a bench", tmp_path) as note:
        note("results/x")
        with pytest.raises(InferometerError, match="for results/x; wait"), lock.hold("b", tmp_path):
            pytest.fail("two at once")


def test_it_is_released_by_an_exception(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), lock.hold("a", tmp_path):
        raise KeyboardInterrupt
    with lock.hold("b", tmp_path):
        pass


@pytest.mark.parametrize("content", [b"", b"not json", b"{}", b"[]", b"7"])
def test_a_holder_that_wrote_nothing_readable(tmp_path: Path, content: bytes) -> None:
    with lock.hold("first", tmp_path):
        (tmp_path / "inferometer.lock").write_bytes(content)
        with (
            pytest.raises(InferometerError, match="is in use by another process; wait"),
            lock.hold("second", tmp_path),
        ):
            pytest.fail("two at once")


def test_the_file_is_shared_by_users(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with lock.hold("first", tmp_path):
            assert (tmp_path / "inferometer.lock").stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)


def test_a_folder_without_room_for_the_lock_is_refused_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(InferometerError, match="lock") as caught,
        lock.hold("first", tmp_path / "nowhere"),
    ):
        pytest.fail("no lock")
    assert "\n" not in str(caught.value)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("not to be overwritten")
    (tmp_path / "inferometer.lock").symlink_to(precious)
    with (
        pytest.raises(InferometerError, match="cannot be opened"),
        lock.hold("first", tmp_path),
    ):
        pytest.fail("followed")
    assert precious.read_text() == "not to be overwritten"

"""Commands under a deadline: what they wrote, and nothing left behind when they do not end."""

import errno
import os
import time
from pathlib import Path

import pytest

from orchestrator.telemetry.machine import run_command


@pytest.fixture(autouse=True)
def nothing_left_open():
    def found():
        return os.listdir("/proc/self/fd"), Path("/proc/thread-self/children").read_text()

    before = found()
    yield
    assert found() == before


def test_all_of_standard_output_whatever_the_status():
    assert run_command(["sh", "-c", "echo one; echo two >&2; exit 3"], 10) == b"one\n"
    assert run_command(["sh", "-c", "head -c 300000 /dev/zero"], 10) == bytes(300000)
    assert run_command(["cat"], 10) == b""  # standard input is empty


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exec sleep 60", id="silent"),
        pytest.param("echo begun; exec sleep 60", id="in the middle"),
        pytest.param("exec >&-; exec sleep 60", id="output closed"),
        pytest.param("sleep 2 & exit 0", id="a child keeps the output"),
    ],
)
def test_what_does_not_end_in_time_is_ended(script):
    began_s = time.monotonic()
    with pytest.raises(OSError) as caught:
        run_command(["sh", "-c", script], 0.2)
    assert caught.value.errno == errno.ETIMEDOUT
    assert 0.2 <= time.monotonic() - began_s < 1.5


def test_a_command_that_is_not_installed():
    with pytest.raises(FileNotFoundError):
        run_command(["no-such-command-here"], 1)

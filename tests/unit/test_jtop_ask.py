"""Asking jetson-stats: in the Python that has it, here or behind a link, never beyond the deadline."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.domain import InferometerError
from orchestrator.engines import jtop, observer
from orchestrator.engines.ssh import Broken
from orchestrator.telemetry import jtop_ask, jtop_facts

# As jetson-stats' library, of a service that answers at once.
LIBRARY = """
import collections, datetime, sys
__version__ = "4.3.2"
assert not any(path.endswith("telemetry") or path.endswith(".pyz") for path in sys.path), sys.path
print("a word of its own", end="")
Mode = collections.namedtuple("Mode", "id name models")
class jtop:
    def __init__(self, interval):
        self.board = {"hardware": {"L4T": "36.4.3"}}
        self.nvpmodel, self.jetson_clocks = Mode(2, "MAXN", ["MAXN"]), True
        self.power = {"rail": {}, "tot": {"power": 4747, "name": "VDD_IN"}}
        self.temperature = {"cpu": {"temp": 47.0, "online": True}}
        self.memory = {"RAM": {"tot": 4, "used": 2, "free": 1}}
    def start(self):
        pass
    uptime = property(lambda self: datetime.timedelta(seconds=1e9))
"""
HANGS = """
import subprocess, sys, time
__version__ = "4.3.2"
class jtop:
    def __init__(self, interval):
        # It holds our output open, too.
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open(%r, "w").write(str(child.pid))
    def start(self):
        time.sleep(60)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a library and its command on this machine."""

    def put(library, python=sys.executable):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/jtop").write_text(f"#!{python}\nimport jtop\n")
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib/jtop.py").write_text(library)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    return put


class LinkToHere:
    """A link whose far end is this machine."""

    def run(self, command, feed=b"", timeout_s=60):
        return subprocess.run(
            ["sh", "-c", command], input=feed, capture_output=True, timeout=timeout_s, check=True
        ).stdout


def old_python():
    found = [*Path(os.path.expanduser("~")).glob(".pyenv/versions/3.6.*/bin/python")]
    return str(found[0]) if found else sys.executable


@pytest.mark.parametrize("link", [None, LinkToHere()], ids=["here", "there"])
@pytest.mark.parametrize("python", [sys.executable, old_python()], ids=["this", "old"])
def test_one_function_gives_the_facts(install, link, python):
    install(LIBRARY, python)
    found = jtop.facts(link)
    assert found["reason"] is None, found
    assert found["power"]["total"] == {"name": "VDD_IN", "w": 4.747}
    assert (found["jetson_clocks"], found["hardware"]) == (True, {"L4T": "36.4.3"})


def test_a_hang_ends_at_the_deadline_with_all_its_children(install, tmp_path):
    install(HANGS % str(tmp_path / "pid"))
    began = time.monotonic()
    found = jtop.facts(deadline_s=1.5)
    assert time.monotonic() - began < 10
    assert (found["reason"], found["said"]) == ("timeout", "no answer within 1.5 s")
    child = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    for _ in range(100):
        if not child.exists() or " Z " in child.read_text():
            break
        time.sleep(0.02)
    else:
        pytest.fail("a child of the client goes on")


def test_a_library_that_ends_the_process_is_no_answer(install):
    install("import sys; sys.exit('out of order')")
    found = jtop.facts()
    assert found["reason"] == "parse"
    assert found["said"].endswith("out of order")


def test_a_command_without_its_library(install, monkeypatch):
    install("")
    monkeypatch.delenv("PYTHONPATH")
    found = jtop.facts()
    assert (found["reason"], found["fix"]) == ("no_sensor", jtop_facts.INSTALL)


def test_without_the_command_nothing_is_started():
    found = jtop_ask.ask(["/nowhere"], 1)
    assert (found["reason"], found["fix"]) == ("no_sensor", jtop_facts.INSTALL)
    assert found["t0_ns"] <= found["t1_ns"]


@pytest.mark.parametrize(
    "text, python",
    [
        ("#!/usr/bin/python3\nimport re\n", "/usr/bin/python3"),
        ("#!/opt/a tool/no\n", "python3"),
        ("#!/usr/bin/env python3\n", "python3"),
        (
            "#!/bin/sh\n'''exec' /root/a/venv/bin/python3.10 \"$0\" \"$@\"\n' '''\n",
            "/root/a/venv/bin/python3.10",
        ),
        ("#!/bin/sh\n# see\n/usr/bin/python3\n", "python3"),
    ],
)
def test_the_command_names_its_python(tmp_path, text, python):
    (tmp_path / "jtop").write_text(text)
    assert jtop_ask.owner(["", "/nowhere", str(tmp_path)]) == python


@pytest.mark.parametrize(
    "words", [["--deadline"], ["--deadline", "x"], ["--deadline", "0"], ["--deadline", "nan"], ["x", "1"]]
)
def test_a_mistake_in_the_arguments_is_one_line(words):
    command = [sys.executable, *observer.PYTHON_OPTIONS, observer.PROGRAM, "--jtop", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "answer, reason",
    [
        (Broken("the connection ended"), "timeout"),
        (InferometerError("pi@board: sh: 1: python3: not found"), "io_error"),
        (b"", "parse"),
        (b"[1]", "parse"),
        (b"\xff", "parse"),
    ],
)
def test_a_link_that_gives_no_answer_gives_a_reason(answer, reason):
    class Link:
        def run(self, command, feed=b"", timeout_s=60):
            if isinstance(answer, Exception):
                raise answer
            return answer if "--jtop" in command else b"/a/telemetry.pyz"

    found = jtop.facts(Link())
    assert found["reason"] == reason
    assert set(found) | {"t0_ns", "t1_ns"} == set(jtop_facts.unavailable("timeout", "", None, 0, 0))

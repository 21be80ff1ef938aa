"""The program that reads once, and what engines make of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.domain import InferometerError
from orchestrator.engines import observer, remote_observer
from orchestrator.engines.process import ProcessEngine

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
FOLDER = Path(observer.PROGRAM)


def once(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *observer.PYTHON_OPTIONS, str(FOLDER), "--once", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def test_every_source_is_read_once_and_nothing_else_said() -> None:
    root = str(TREES / "i5-desktop")
    done = once("--root", root, "--pid", "3112", "--sources", "thermal,hwmon")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert {line["type"] for line in lines} == {"reading"}
    assert {line["source"]: line["value"] for line in lines}["hwmon.coretemp.Package_id_0"] == 41.0
    assert len(lines) == len({line["source"] for line in lines})


def test_without_a_process_only_the_machine_is_read() -> None:
    done = once("--sources", "process,meminfo,cgroup")
    values = {line["source"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, done.stderr, set(values)) == (0, "", {"host.memory_available"})
    assert values["host.memory_available"] > 0


def test_what_would_mend_a_reason_is_told_too(tmp_path: Path) -> None:
    done = once("--root", str(tmp_path), "--sources", "vcgencmd")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["fix"] * 3 + ["reading"] * 3
    assert {(line["source"], line["reason"]) for line in lines[:3]} == {
        (line["source"], line["reason"]) for line in lines[3:]
    }


def test_mistakes_are_still_told() -> None:
    done = once("--sources", "thermometer")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown thermometer" in done.stderr


def test_an_engine_senses_its_machine(tmp_path: Path) -> None:
    lines = ProcessEngine(tmp_path, tmp_path).sense(("meminfo", "load"))
    assert {line["source"] for line in lines} == {"host.memory_available", "host.cpu_busy", "host.cpu_steal"}


def test_a_source_that_does_not_answer_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hang"
    program.mkdir()
    (program / "__main__.py").write_text(
        'import sys, time\nprint(\'{"source": "first"}\', flush=True)\ntime.sleep(60)\n'
    )
    monkeypatch.setattr(observer, "PROGRAM", program)
    monkeypatch.setattr(observer, "_ANSWER_S", 1.0)
    assert observer.sense(("thermal",)) == [{"source": "first"}]


class Link:
    """A board that is this machine; ``refuses``: it has no Python."""

    def __init__(self, refuses: bool = False):
        self.refuses, self.commands = refuses, list[str]()

    def persist(self, action):  # type: ignore[no-untyped-def]
        return action()

    def run(self, command: str, feed: bytes = b"", timeout_s: float = 60) -> bytes:
        self.commands.append(command)
        if self.refuses and command.startswith("python3 "):
            raise InferometerError("board: python3: not found")
        done = subprocess.run(["sh", "-c", command], input=feed, capture_output=True, env={**os.environ})
        return done.stdout


def test_a_board_senses_with_the_program_that_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    link = Link()
    there = remote_observer.RemoteObserver(link)  # type: ignore[arg-type]
    for _ in range(2):
        lines = [json.loads(line) for line in there.once(observer.once(("meminfo",))).splitlines()]
        assert [line["source"] for line in lines] == ["host.memory_available"]
    assert len(link.commands) == 3  # the program was sent once
    assert remote_observer.RemoteObserver(Link(refuses=True)).once(["--once"]) == b""  # type: ignore[arg-type]

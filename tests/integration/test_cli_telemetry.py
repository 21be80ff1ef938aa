"""``inferometer telemetry`` on this very machine: on a terminal, in a pipe, and when it is to end."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.telemetry import sources as telemetry_sources
from tests.support import doubles
from tests.support import plug_simulator as simulator
from tests.support.benches import wait_for
from tests.support.newcomer import environment, inferometer, refused

SOURCES = ("--sources", "process,meminfo,load,thermal")


def started(place: Path, *words: str, **pipes: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "telemetry", *words],
        cwd=place,
        env=environment(place, TERM="xterm", COLUMNS="160", LINES="40"),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **pipes,
    )


def interrupt(popen: subprocess.Popen[bytes]) -> None:
    """As a terminal does it: the telemetry program gets its own."""
    os.killpg(popen.pid, signal.SIGINT)


def test_once_shows_every_source_with_a_value_or_a_reason(tmp_path: Path) -> None:
    done = inferometer(tmp_path, "telemetry", "--once")
    assert (done.returncode, done.stderr) == (0, "")
    title, *rows = done.stdout.splitlines()
    assert re.split(r"  +", title) == ["source", "value", "scope", "method", "rate", "why not"]
    assert any(row.startswith("host.memory_available") and "iB" in row for row in rows)
    for row in rows:
        cells = re.split(r"  +", row)
        if not row.startswith(("no sensor here: ", "to read ")):
            assert (cells[1] == "-") == (len(cells) == 6), row


def test_a_source_that_this_machine_lacks_says_so(tmp_path: Path) -> None:
    done = inferometer(tmp_path, "telemetry", "--once", "--sources", "thermal,soctherm,cpufreq")
    assert done.returncode == 0
    _, *table = done.stdout.splitlines()
    assert table[-1].startswith("no sensor here: ") and "soctherm" in table[-1]  # no Jetson runs these tests
    assert not any(line.startswith("soctherm") for line in table)


def test_a_pipe_gets_the_phrase_each_time_and_the_fix_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("--sources", "shelly=http://127.0.0.1:9", "--interval", "0.1")
    with out.open("wb") as stream:
        popen = started(tmp_path, *words, stdout=stream, stderr=subprocess.PIPE)
    wait_for(lambda: out.read_text().count("\n") >= 3, 20)
    interrupt(popen)
    assert popen.communicate(timeout=20)[1] == b""
    text = out.read_text()
    assert text.count("no sensor here") >= 3
    assert text.count("to read it: look at the plug's address") == 1


def test_json_is_the_programs_own_lines(tmp_path: Path) -> None:
    done = inferometer(tmp_path, "telemetry", "--once", "--json", *SOURCES)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [lines[0]["type"], lines[-1]["type"]] == ["clock", "end"]
    assert {line["source"] for line in lines if line["type"] == "reading"} >= {
        "process.vm_hwm",
        "host.cpu_busy",
    }


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_ctrl_c_ends_it_well(tmp_path: Path, words: tuple[str, ...]) -> None:
    out = tmp_path / "out"
    with out.open("wb") as stream:
        popen = started(
            tmp_path, *SOURCES, "--interval", "0.1", *words, stdout=stream, stderr=subprocess.PIPE
        )
    wait_for(lambda: out.stat().st_size > 2000, 20)
    interrupt(popen)
    _, complaint = popen.communicate(timeout=20)
    assert (popen.returncode, complaint) == (0, b"")
    lines = out.read_text().splitlines()
    if words:
        assert json.loads(lines[-1])["type"] == "end"
    else:
        assert re.fullmatch(r" +\d+\.\d{3} s  thermal.*", lines[-1])
        assert any(re.search(r"host.cpu_busy .* of a core\)  host  counter  .* Hz", line) for line in lines)


def test_on_a_terminal_the_table_stays_in_place(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    popen = started(tmp_path, *SOURCES, "--interval", "0.2", stdout=follower, stderr=subprocess.PIPE)
    os.close(follower)
    shown, interrupted = b"", False
    until = time.monotonic() + 30
    with contextlib.suppress(OSError):  # a terminal that nobody holds any more
        while time.monotonic() < until:
            if select.select([leader], [], [], 0.5)[0]:
                shown += os.read(leader, 1 << 16)
            if not interrupted and shown.count(b"host.cpu_busy") >= 4:
                interrupted = True
                interrupt(popen)
    os.close(leader)
    if not interrupted:
        popen.kill()
    _, complaint = popen.communicate(timeout=20)
    assert (popen.returncode, complaint) == (0, b"")
    assert b"\x1b[1A" in shown  # the cursor goes up again
    assert b"why not" in shown
    assert b"\x1b[1m" in shown  # its titles


def test_once_on_a_narrow_terminal(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "orchestrator", "telemetry", "--once", *SOURCES]
    here = environment(tmp_path, TERM="xterm", COLUMNS="80")
    subprocess.run(
        words, cwd=tmp_path, env=here, stdout=follower, stdin=subprocess.DEVNULL, check=True, timeout=30
    )
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # a terminal that nobody holds any more
        while part := os.read(leader, 1 << 16):
            shown += part
    os.close(leader)
    title, *rows = shown.decode().splitlines()
    assert re.split(r"  +", title) == ["source", "value", "rate", "why not"]
    assert max(map(len, rows)) <= 80


def test_a_reader_that_leaves_ends_it(tmp_path: Path) -> None:
    popen = started(tmp_path, *SOURCES, "--interval", "0.05", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert popen.stdout and popen.stderr
    assert popen.stdout.readline()
    popen.stdout.close()
    assert popen.wait(20) == 128 + signal.SIGPIPE
    assert b"Traceback" not in popen.stderr.read()
    popen.stderr.close()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--sources", "gps"), "unknown gps; known are cgroup"),
        (("--sources", ""), "Invalid value for '--sources': is empty; leave it out or say which"),
        (("--sources", " , "), "'--sources': is empty"),
        (("--meter", ""), "Invalid value for '--meter': is empty; leave it out or say which"),
        (("--interval", "0"), "--interval"),
        (("--interval", "soon"), "--interval"),
        (("--device", "rpi6"), "rpi6"),
        (("--meter", "192.168.1.5"), "no address of a plug"),
        (("--meter", "http://127.0.0.1:9"), "gives no power: shelly, tasmota: no_sensor"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, words: tuple[str, ...], complaint: str) -> None:
    refused(inferometer(tmp_path, "telemetry", "--once", *words), complaint)


@pytest.mark.skipif("shelly" not in telemetry_sources.SOURCES, reason="no plug is among the sources")
@pytest.mark.parametrize(("answer", "kind"), [(simulator.shelly, "shelly"), (simulator.tasmota, "tasmota")])
def test_a_plug_is_shown_besides(tmp_path: Path, answer: simulator.Answer, kind: str) -> None:
    with simulator.plug(answer, simulator.Load([(1.0, 12.0)], 7.2e6)) as url:
        done = inferometer(tmp_path, "telemetry", "--once", "--sources", "load", "--meter", url)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: re.split(r"  +", line)[1:3] for line in done.stdout.splitlines()}
    assert rows[f"{kind}.power"] == ["12 W", "wall"]
    assert rows[f"{kind}.energy"] == ["7.2 MJ", "wall"]


def test_help_has_examples(tmp_path: Path) -> None:
    for command in ("telemetry", "probe"):
        done = inferometer(tmp_path, command, "--help")
        assert done.returncode == 0
        assert "Examples:" in done.stdout


@pytest.mark.parametrize("meter", ["METER=", "METER= ", "DEVICE="])
def test_make_passes_nothing_that_is_empty(meter: str) -> None:
    words = ["make", "--dry-run", "--no-print-directory", "telemetry", meter]
    done = subprocess.run(words, cwd=doubles.ROOT, capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines()[-1].split()[-1] == "telemetry"

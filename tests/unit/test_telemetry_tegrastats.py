"""The lines of tegrastats in both generations, and a child that dies, hangs or is not there."""

import errno
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestrator.telemetry.child import Child
from orchestrator.telemetry.tegrastats import Tegrastats, watts
from tests.support.sensors import REFUSALS, TREES, Clock, recorded, said

SECOND_NS = 1_000_000_000
OLD = (TREES / "jetson-nano/commands/tegrastats").read_bytes().rstrip(b"\n")
NEW = (TREES / "jetson-orin-nano/commands/tegrastats").read_bytes().rstrip(b"\n")
RAILS = {
    "tegrastats.VDD_IN": 5.704,
    "tegrastats.VDD_CPU_GPU_CV": 0.831,
    "tegrastats.VDD_SOC": 1.624,
}


class Fake:
    """Says what it is told to: lists of lines, None for its end, nothing from then on."""

    def __init__(self, *told):
        self.told, self.closed = list(told), 0

    def lines(self):
        return self.told.pop(0) if self.told else []

    def close(self):
        self.closed += 1


class Starter:
    """Gives children one after another; an error number is raised."""

    def __init__(self, *children):
        self.children, self.words = list(children), []

    def __call__(self, words):
        self.words.append(words)
        child = self.children.pop(0)
        if isinstance(child, int):
            raise OSError(child, os.strerror(child), words[0])
        return child


def source(clock, *children, interval_s=0.5):
    start = Starter(*children)
    return Tegrastats(recorded("jetson-orin-nano", now=clock), interval_s, start), start


def test_the_lines_of_both_generations():
    assert watts(OLD) == {"POM_5V_IN": 2.765, "POM_5V_GPU": 0.0, "POM_5V_CPU": 0.866}
    assert watts(NEW) == {"VDD_IN": 5.704, "VDD_CPU_GPU_CV": 0.831, "VDD_SOC": 1.624}


def test_the_first_number_of_a_pair_is_the_power_now():
    assert watts(b"VDD_IN 5704mW/1mW VDD_SOC 3/1") == {"VDD_IN": 5.704, "VDD_SOC": 0.003}


def test_memory_is_no_rail():
    assert watts(b"RAM 1588/3963MB SWAP 0/4096MB IRAM 0/252kB VDD_IN 1mW/2 GPU 1/2mW") == {}


def test_a_line_is_read_once_and_stamped_with_the_looks_around_it():
    clock = Clock()
    told, start = source(clock, Fake([], [OLD, NEW], [], [NEW]))
    assert told.read() == []  # nothing said yet
    begun_ns = clock.now_ns
    clock.now_ns += SECOND_NS // 2
    readings = told.read()
    assert said(readings) == RAILS  # of two lines the newer
    assert {(r.t0_ns, r.t1_ns) for r in readings} == {(begun_ns, clock.now_ns)}
    assert {r.channel.source: r.channel.scope for r in readings} == {
        "tegrastats.VDD_IN": "module_input",
        "tegrastats.VDD_CPU_GPU_CV": "supply_rail",
        "tegrastats.VDD_SOC": "supply_rail",
    }
    assert told.read() == []
    assert said(told.read()) == RAILS
    assert start.words == [["tegrastats", "--interval", "500"]]


def test_the_older_boards_input():
    told, _ = source(Clock(), Fake([OLD]))
    assert {r.channel.source: r.channel.scope for r in told.read()}["tegrastats.POM_5V_IN"] == "board_input"


def test_a_line_that_lacks_a_rail_says_so():
    broken = NEW.replace(b"VDD_IN 5704mW/5704mW", b"VDD_IN 57")
    told, _ = source(Clock(), Fake([NEW], [broken], [b"garbage"], [NEW + b" VDD_SOC 1mW/1mW"]))
    assert said(told.read()) == RAILS
    assert said(told.read()) == {**RAILS, "tegrastats.VDD_IN": "parse"}
    assert said(told.read()) == dict.fromkeys(RAILS, "parse")
    assert said(told.read()) == dict.fromkeys(RAILS, "parse")  # a rail twice: which one is it?


@pytest.mark.parametrize("power", [b"0mW/5704mW", b"9999999mW/5704mW"])
def test_an_input_that_cannot_be_true(power):
    told, _ = source(Clock(), Fake([NEW.replace(b"5704mW/5704mW", power)]))
    assert said(told.read()) == {**RAILS, "tegrastats.VDD_IN": "out_of_range"}


def test_lines_without_rails_are_no_power():
    told, _ = source(Clock(), Fake([b"RAM 1588/3963MB"], None))
    assert said(told.read()) == {"tegrastats": "parse"}


@pytest.mark.parametrize("number, reason", REFUSALS)
def test_a_child_that_cannot_be_started_is_tried_once_a_minute(number, reason):
    clock = Clock()
    told, start = source(clock, number, Fake([NEW]))
    for _ in range(59):
        assert said(told.read()) == {"tegrastats": reason}
        clock.now_ns += SECOND_NS
    assert len(start.words) == 1
    clock.now_ns += SECOND_NS
    assert said(told.read()) == RAILS
    assert "tegrastats" in Tegrastats.fixes["no_sensor"]


def test_a_child_that_dies_is_stale_and_started_again_once_a_minute():
    clock = Clock()
    first, second = Fake([NEW], None), Fake([NEW])
    told, start = source(clock, first, second)
    assert said(told.read()) == RAILS
    for _ in range(59):
        clock.now_ns += SECOND_NS
        assert said(told.read()) == dict.fromkeys(RAILS, "stale")
    assert (len(start.words), first.closed) == (1, 1)
    clock.now_ns += SECOND_NS
    assert said(told.read()) == RAILS
    told.close()
    told.close()
    assert second.closed == 1


def test_a_child_that_dies_before_it_said_anything_is_no_sensor():
    told, _ = source(Clock(), Fake(None))
    assert said(told.read()) == {"tegrastats": "no_sensor"}


def test_a_child_that_falls_silent_is_stale_and_ended():
    clock = Clock()
    silent = Fake([NEW])
    told, _ = source(clock, silent)
    assert said(told.read()) == RAILS
    clock.now_ns += SECOND_NS  # a clock that jumps is no silence
    assert told.read() == []
    clock.now_ns += 5 * SECOND_NS
    assert said(told.read()) == dict.fromkeys(RAILS, "stale")
    assert silent.closed == 1


def test_a_long_interval_is_no_silence():
    clock = Clock()
    told, _ = source(clock, Fake([NEW]), interval_s=10)
    told.read()
    clock.now_ns += 25 * SECOND_NS
    assert told.read() == []


@examples(st.integers(0, len(NEW)), st.integers(0, len(NEW)), st.binary(max_size=8))
def test_mutated_lines_raise_nothing_and_invent_no_rail(first, last, put):
    line = NEW[: min(first, last)] + put + NEW[max(first, last) :]
    told, _ = source(Clock(), Fake([NEW], [line]))
    told.read()
    found = said(told.read())
    assert set(found) == set(RAILS)
    for name, value in found.items():
        assert value in ("parse", "out_of_range") or f"{name[11:]} ".encode() in line


def python(program):
    return Child([sys.executable, "-c", program])


def until_said(child, timeout_s=20.0):
    """The first lines of a child, or None at its end."""
    give_up = time.monotonic() + timeout_s
    found = []
    while found == [] and time.monotonic() < give_up:
        found = child.lines()
        time.sleep(0.01)
    return found


def test_a_real_childs_lines_come_whole_and_its_end_is_told():
    child = python("import sys; sys.stdout.write('one\\ntwo\\nhal')")
    assert until_said(child) == [b"one", b"two"]
    assert until_said(child) is None
    child.close()


def test_a_real_child_is_ended_by_close():
    child = python("import time; print('up', flush=True); time.sleep(600)")
    assert until_said(child) == [b"up"]
    assert child.lines() == []
    child.close()
    assert child._process.returncode == -9
    with pytest.raises(OSError):
        os.fstat(child._pipe)


def test_a_command_that_is_not_there_leaves_nothing_open():
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError) as problem:
        Child(["/nowhere/tegrastats"])
    assert problem.value.errno == errno.ENOENT
    assert os.listdir("/proc/self/fd") == before


def test_a_real_tegrastats_in_all(tmp_path, monkeypatch):
    fake = tmp_path / "tegrastats"
    fake.write_text(
        f'#!/bin/sh\n[ "$*" = "--interval 100" ] || exit 1\necho "{NEW.decode()}"\nexec sleep 600\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    told = Tegrastats(recorded("jetson-orin-nano"), 0.1)
    found, give_up = [], time.monotonic() + 20
    while not found and time.monotonic() < give_up:
        found = told.read()
        time.sleep(0.01)
    assert said(found) == RAILS
    process = told._child._process
    assert process.poll() is None
    told.close()
    assert isinstance(process, subprocess.Popen) and process.poll() == -9

"""Finding the descendants: on real processes, and at a bounded price."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.telemetry.machine import Machine, read_file
from orchestrator.telemetry.tree import SEARCH_SHARE, Tree

HYBRID = str(Path(__file__).parent.parent / "fixtures" / "sys" / "hybrid")


@pytest.fixture
def family():
    """A shell with a child and a grandchild, all asleep until the end of its standard input."""
    script = "import subprocess,sys; c=subprocess.Popen(sys.argv[1:]); print(c.pid, flush=True); c.wait()"
    grandchild = [sys.executable, "-c", "import os,sys; print(os.getpid(), flush=True); sys.stdin.read()"]
    with subprocess.Popen(
        [sys.executable, "-c", script, sys.executable, "-c", script, *grandchild],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as popen:
        pids = {popen.pid}
        while len(pids) < 3:
            pids.add(int(popen.stdout.readline()))
        yield popen, pids
        popen.stdin.close()


def test_children_and_grandchildren_belong_to_the_tree(family):
    popen, pids = family
    members = dict(Tree(Machine(), popen.pid).members())
    assert set(members) >= pids
    assert os.getpid() not in members


def test_what_has_ended_leaves_the_tree(family):
    popen, pids = family
    tree = Tree(Machine(), popen.pid)
    assert len(tree.members()) == 3
    assert tree.alive()
    popen.stdin.close()
    popen.wait()
    assert tree.members() == []
    assert not tree.alive()


def test_a_zombie_is_not_alive():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as popen:
        tree = Tree(Machine(), popen.pid)
        popen.stdin.close()
        deadline = time.monotonic() + 10
        while tree.alive():
            assert time.monotonic() < deadline, "a zombie still counts as alive"
            time.sleep(0.01)


def test_a_reused_number_is_another_process():
    reused = False

    def read(path):
        data = read_file(path)
        return data.replace(b" 210937 ", b" 999999 ") if reused else data

    tree = Tree(Machine(HYBRID, read), 3112)
    assert tree.alive()
    reused = True
    assert not tree.alive()


def test_without_children_files_strangers_in_the_cgroup_stay_out():
    # cgroup.procs of this container lists 3199 as well, which has ended.
    assert [pid for pid, _ in Tree(Machine(HYBRID), 3112).members()] == [3112, 3133]


@pytest.mark.parametrize(
    "device, file, data",
    [
        ("hybrid", "proc/3112/stat", None),  # 3112 and 3133 each the other's parent
        ("docker-cgroup1", "proc/3133/task/3133/children", b"3112 3133"),
    ],
)
def test_relations_in_a_circle_end(device, file, data):
    def read(path):
        if not path.endswith(file):
            return read_file(path)
        return data or read_file(path).replace(b" 3090 ", b" 3133 ", 1)

    root = os.path.join(os.path.dirname(HYBRID), device)
    assert [pid for pid, _ in Tree(Machine(root, read), 3112).members()] == [3112, 3133]


def test_a_search_that_was_dear_is_not_repeated_soon():
    now = [0]
    searches = []

    def read(path):
        if path.endswith("cgroup.procs"):
            searches.append(now[0])
            now[0] += 5_000_000  # as if it had listed hundreds of processes
        return read_file(path)

    tree = Tree(Machine(HYBRID, read, lambda: now[0]), 3112)
    for _ in range(12):
        tree.members()
        now[0] += 1_000_000_000
    assert searches[0] == 0
    assert all(b - a >= 5_000_000 * SEARCH_SHARE for a, b in zip(searches, searches[1:], strict=False))
    assert len(searches) == 3

"""PSS of a process tree: the whole sum, or the reason for having none."""

import contextlib
import errno
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.machine import Machine
from orchestrator.telemetry.pss import Pss, _bytes

# As kernel 6.18 writes it.
ROLLUP = """\
564ab2a90000-7ffc6fc74000 ---p 00000000 00:00 0                          [rollup]
Rss:                1600 kB
Pss:                 %d kB
Pss_Dirty:           112 kB
Pss_Anon:            112 kB
Pss_File:            135 kB
Pss_Shmem:             0 kB
Shared_Clean:       1448 kB
SwapPss:               0 kB
Locked:                0 kB
"""
STAT = "%d (a runner) S %d 1 1 0 -1 4194560 0 0 0 0 507 7 0 0 20 0 1 0 %d 0 0"


@pytest.fixture
def seen(tmp_path):
    """A container's init 10 and its child 11, and what reading a file of theirs may raise."""
    for pid, parent, children, pss in ((10, 1, "11", 247), (11, 10, "", 90112)):
        task = tmp_path / f"proc/{pid}/task/{pid}"
        task.mkdir(parents=True)
        (task / "children").write_text(children)
        (tmp_path / f"proc/{pid}/stat").write_text(STAT % (pid, parent, pid))
        (tmp_path / f"proc/{pid}/smaps_rollup").write_text(ROLLUP % pss)
    raised = {}

    def read(path):
        for end, problem in raised.items():
            if path.endswith(end):
                raise OSError(problem, os.strerror(problem), path)
        with open(path, "rb") as file:
            return file.read()

    return Machine(str(tmp_path), read), raised, tmp_path


def said(pss):
    (reading,) = pss.read()
    return reading.reason if reading.value is None else reading.value


def test_the_sum_of_a_tree(seen):
    assert said(Pss(seen[0], 10)) == (247 + 90112) * 1024


@pytest.mark.parametrize("problem", [errno.ENOENT, errno.ESRCH])
def test_a_member_that_has_ended_counts_no_more(seen, problem):
    machine, raised, _ = seen
    pss = Pss(machine, 10)
    raised["proc/11/smaps_rollup"] = problem
    assert said(pss) == 247 * 1024


@pytest.mark.parametrize(
    "problem, reason", [(errno.EACCES, "permission"), (errno.EPERM, "permission"), (errno.EIO, "io_error")]
)
def test_a_part_of_the_sum_is_no_sum(seen, problem, reason):
    machine, raised, _ = seen
    raised["proc/11/smaps_rollup"] = problem
    pss = Pss(machine, 10)
    assert said(pss) == reason
    assert set(pss.fixes) == {"permission"}


def test_what_holds_no_pss_does_not_parse(seen):
    machine, _, root = seen
    (root / "proc/11/smaps_rollup").write_text("Rss: 1 kB\n")
    assert said(Pss(machine, 10)) == "parse"


def test_kernels_before_4_14_have_no_such_file(seen):
    machine, _, root = seen
    (root / "proc/10/smaps_rollup").unlink()
    assert said(Pss(machine, 10)) == "no_sensor"


def test_a_tree_that_has_gone_is_stale(seen):
    machine, raised, _ = seen
    pss = Pss(machine, 10)
    raised["/stat"] = errno.ENOENT
    assert said(pss) == "stale"
    assert said(Pss(machine, 99)) == "stale"


@given(
    st.integers(1, 2**40), st.binary(max_size=40).filter(lambda data: b"\n" not in data and b"\r" not in data)
)
def test_the_line_is_found_wherever_it_stands(kilobytes, noise):
    line = b"Pss:%20d kB" % kilobytes
    assert _bytes(b"x" + noise + b"\n" + line + b"\nPss_Anon: 7 kB\n") == kilobytes * 1024


@given(st.binary(max_size=60))
def test_garbage_is_a_value_or_a_complaint(data):
    with contextlib.suppress(ValueError, LookupError):
        assert isinstance(_bytes(data), int)


def test_a_real_process_that_maps_40_megabytes_more():
    code = "import sys; sys.stdin.read(1); x = b'x' * (40 << 20); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        pss = Pss(Machine(), child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        after = said(pss)
        assert after == "no_sensor" or 40 << 20 < after < 60 << 20

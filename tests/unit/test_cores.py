"""The runner's cores and ours, on made-up machines."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engines.cores import split_cores

Split = tuple[tuple[int, ...], tuple[int, ...]]
P_HZ, E_HZ = 4800000, 3500000
CAPACITY, CLOCK = "cpu_capacity", "cpufreq/cpuinfo_max_freq"


def machine(
    root: Path, siblings: list[str], speeds: list[int] | None = None, file: str = CLOCK
) -> tuple[int, ...]:
    """Write a sysfs tree with one entry a core; returns all its cores."""
    for core, text in enumerate(siblings):
        write(root, core, "topology/thread_siblings_list", text)
    for core, speed in enumerate(speeds or []):
        write(root, core, file, str(speed))
    return tuple(range(len(siblings)))


def write(root: Path, core: int, file: str, text: str) -> None:
    path = root / "sys/devices/system/cpu" / f"cpu{core}" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def hybrid(root: Path, file: str = CLOCK) -> tuple[int, ...]:
    """2 P-cores of two threads each come first, then 4 E-cores."""
    return machine(root, ["0-1", "0-1", "2-3", "2-3", "4", "5", "6", "7"], [P_HZ] * 4 + [E_HZ] * 4, file)


@pytest.mark.parametrize("file", [CAPACITY, CLOCK])
@pytest.mark.parametrize(
    ("threads", "split"),
    [
        (1, ((3,), (0, 1, 4, 5, 6, 7))),
        (2, ((1, 3), (4, 5, 6, 7))),
        (3, ((1, 3, 7), (4, 5, 6))),
        (6, ((1, 3, 4, 5, 6, 7), (0, 2))),  # only siblings remain
        (7, ((1, 2, 3, 4, 5, 6, 7), (0,))),  # more threads than physical cores
        (8, (tuple(range(8)), tuple(range(8)))),
        (9, (tuple(range(8)), tuple(range(8)))),
    ],
)
def test_a_hybrid_runs_on_its_fast_cores(tmp_path: Path, file: str, threads: int, split: Split) -> None:
    assert split_cores(hybrid(tmp_path, file), threads, tmp_path) == split


@pytest.mark.parametrize(
    ("threads", "split"),
    [
        (1, ((7,), (0, 1, 2, 3, 4, 5))),
        (2, ((5, 7), (0, 1, 2, 3))),
        (3, ((3, 5, 7), (0, 1))),
        (4, ((1, 3, 5, 7), (0, 2, 4, 6))),
        (5, ((1, 3, 5, 6, 7), (0, 2, 4))),
    ],
)
def test_adjacent_siblings_are_taken_last(tmp_path: Path, threads: int, split: Split) -> None:
    cores = machine(tmp_path, ["0-1", "0-1", "2-3", "2-3", "4-5", "4-5", "6-7", "6-7"], [P_HZ] * 8)
    assert split_cores(cores, threads, tmp_path) == split


@pytest.mark.parametrize(
    ("threads", "split"),
    [
        (1, ((7,), (0, 1, 2, 4, 5, 6))),
        (2, ((6, 7), (0, 1, 4, 5))),
        (4, ((4, 5, 6, 7), (0, 1, 2, 3))),
        (5, ((3, 4, 5, 6, 7), (0, 1, 2))),
    ],
)
def test_siblings_in_two_halves(tmp_path: Path, threads: int, split: Split) -> None:
    cores = machine(tmp_path, ["0,4", "1,5", "2,6", "3,7"] * 2)
    assert split_cores(cores, threads, tmp_path) == split


def test_two_physical_cores_of_two_threads(tmp_path: Path) -> None:
    """(0,2) (1,3): both are needed, so what is left shares them."""
    cores = machine(tmp_path, ["0,2", "1,3"] * 2)
    assert split_cores(cores, 1, tmp_path) == ((3,), (0, 2))
    assert split_cores(cores, 2, tmp_path) == ((2, 3), (0, 1))


def test_one_physical_core_is_shared(tmp_path: Path) -> None:
    assert split_cores(machine(tmp_path, ["0-1", "0-1"]), 1, tmp_path) == ((1,), (0,))


@pytest.mark.parametrize(
    ("cores", "threads", "split"),
    [
        ((0, 1, 2), 1, ((2,), (0, 1))),  # 2's sibling belongs to others
        ((1, 2, 3), 2, ((1, 3), (2,))),
        ((0, 1, 6, 7), 1, ((1,), (6, 7))),
        ((5, 6, 7), 2, ((6, 7), (5,))),
        ((2, 3), 1, ((3,), (2,))),
        ((4,), 1, ((4,), (4,))),
    ],
)
def test_a_cpuset_leaves_some(tmp_path: Path, cores: tuple[int, ...], threads: int, split: Split) -> None:
    hybrid(tmp_path)
    assert split_cores(cores, threads, tmp_path) == split


def test_capacity_goes_before_clock(tmp_path: Path) -> None:
    cores = machine(tmp_path, ["0", "1", "2"], [1024, 1024, 400], CAPACITY)
    machine(tmp_path, ["0", "1", "2"], [E_HZ, E_HZ, P_HZ])
    assert split_cores(cores, 1, tmp_path) == ((1,), (0, 2))


def test_a_scale_that_some_cores_lack_is_none(tmp_path: Path) -> None:
    cores = machine(tmp_path, ["0", "1", "2"], [P_HZ, E_HZ, E_HZ])
    write(tmp_path, 2, CAPACITY, "1024")
    assert split_cores(cores, 1, tmp_path) == ((0,), (1, 2))
    write(tmp_path, 1, CLOCK, "<unknown>")
    assert split_cores(cores, 1, tmp_path) == ((2,), (0, 1))


@pytest.mark.parametrize("text", ["", "x", "0-x", "\N{BULLET}"])
def test_siblings_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    assert split_cores(machine(tmp_path, [text] * 3), 1, tmp_path) == ((2,), (0, 1))


everything = st.sets(st.integers(0, 127), min_size=1, max_size=16).map(lambda found: tuple(sorted(found)))


@given(everything, st.integers(1, 20))
def test_without_sysfs_the_last_are_the_runners(cores: tuple[int, ...], threads: int) -> None:
    split = split_cores(cores, threads, Path("/nowhere"))
    assert split == ((cores[-threads:], cores[:-threads]) if threads < len(cores) else (cores, cores))


def test_on_this_machine() -> None:
    cores = tuple(sorted(os.sched_getaffinity(0)))
    for threads in range(1, len(cores) + 2):
        theirs, ours = split_cores(cores, threads)
        assert len(theirs) == min(threads, len(cores))
        assert ours
        assert set(theirs + ours) <= set(cores)
        assert threads >= len(cores) or not set(theirs) & set(ours)
        assert all(a < b for part in (theirs, ours) for a, b in pairwise(part))

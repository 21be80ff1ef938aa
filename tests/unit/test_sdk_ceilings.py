"""The probe's kernels: exact counts, honest sizes, and a reason wherever there is no figure."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest

from tests.support import runners

MEBI = 1 << 20


@pytest.fixture(scope="module")
def ceilings() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "inferometer_sdk", runners.import_sdk())
        spec = importlib.util.spec_from_file_location("ceilings", runners.SDK / "ceilings.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


class Clock:
    """Advances by a step at each look."""

    def __init__(self, step_ns: int):
        self.now_ns, self.step_ns = 0, step_ns

    def __call__(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns


def machine(root: Path, cache: str = "4K", free_kib: int = 1 << 20, limit: str = "max") -> Path:
    """A machine whose files say these sizes."""
    for core in range(1024):  # whichever this process may use
        folder = root / f"sys/devices/system/cpu/cpu{core}/cache/index3"
        folder.mkdir(parents=True)
        for name, text in (("level", "3"), ("size", cache), ("shared_cpu_list", "0-1023")):
            (folder / name).write_text(text + "\n")
    for name, text in (
        ("proc/meminfo", f"MemTotal: 1 kB\nMemAvailable:   {free_kib} kB\n"),
        ("sys/fs/cgroup/memory.max", limit),
        ("sys/fs/cgroup/memory.current", "1048576"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_kernel_is_repeated_for_its_time_after_one_call_that_does_not_count(ceilings: Any) -> None:
    calls: list[int] = []
    values = ceilings.repeat(lambda: calls.append(1), 100, Clock(10))
    # A repetition looks twice: at 20 and 30, 40 and 50 ... until 110, which is 100 after the first look.
    assert values == [10] * 5
    assert len(calls) == 6


@pytest.mark.parametrize(("duration_ns", "count"), [(0, 3), (10**9, 4096)])
def test_a_slow_kernel_is_repeated_three_times_and_none_without_end(
    ceilings: Any, duration_ns: int, count: int
) -> None:
    assert ceilings.repeat(lambda: None, duration_ns, Clock(10)) == [10] * count


def test_operations_are_counted_exactly(ceilings: Any, tmp_path: Path) -> None:
    found, reason = ceilings.multiply(numpy, 0, tmp_path, Clock(10))
    assert reason is None
    assert [(one["kernel"], one["count"]) for one in found] == [
        ("sgemm 256", 33_554_432),
        ("sgemm 512", 268_435_456),
        ("sgemm 1024", 2_147_483_648),
    ]
    assert all(one["values_ns"] == [10] * 3 for one in found)


@pytest.mark.parametrize("threads", [1, 3])
def test_bytes_are_those_that_the_program_names(ceilings: Any, tmp_path: Path, threads: int) -> None:
    notes: list[str] = []
    found, reason = ceilings.stream(numpy, threads, 0, machine(tmp_path, "1M"), Clock(10), notes)
    assert (reason, notes) == (None, [])
    # Of three arrays of 16 MiB, the least, each thread has a part and takes at most 8 MiB of it at a time.
    elements = {1: 8 * MEBI // 4, 3: 16 * MEBI // 4 // 3 * 3}[threads]
    assert [(one["kernel"], one["count"]) for one in found] == [
        ("copy", 8 * elements),
        ("add", 12 * elements),
        ("read", 4 * elements),
    ]


def test_arrays_are_four_caches_each_or_say_that_they_are_not(ceilings: Any, tmp_path: Path) -> None:
    notes: list[str] = []
    root = machine(tmp_path, "6M", free_kib=12 * 20 * 1024)
    ceilings.stream(numpy, 1, 0, root, Clock(10), notes)
    assert notes == [
        f"arrays of {20 * MEBI} bytes are less than four times the last-level cache ({6 * MEBI})"
    ]


def test_a_piece_comes_again_when_all_others_have_been(ceilings: Any, tmp_path: Path) -> None:
    seen: list[int] = []

    class Watched:
        """numpy, whose copies are watched."""

        float32, full, add = numpy.float32, staticmethod(numpy.full), staticmethod(numpy.add)

        @staticmethod
        def copyto(out: Any, source: Any) -> None:
            seen.append(source.__array_interface__["data"][0])

    root = machine(tmp_path, "6M")  # arrays of 24 MiB: three pieces each
    ceilings.stream(Watched, 1, 60, root, Clock(10), [])
    first = seen[0]
    assert [(place - first) // MEBI for place in seen] == [0, 8, 16, 0][: len(seen)]
    assert len(seen) == 4


def test_where_memory_is_short_there_is_a_reason_and_no_figure(ceilings: Any, tmp_path: Path) -> None:
    root = machine(tmp_path, "6M", limit=str(13 * MEBI))
    assert ceilings.stream(numpy, 1, 0, root, Clock(10), []) == (
        [],
        f"{12 * MEBI} bytes of free memory are too few for arrays beyond the last-level cache",
    )


def test_an_unknown_cache_is_assumed_and_told(ceilings: Any, tmp_path: Path) -> None:
    notes: list[str] = []
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(f"MemAvailable: {12 * 32 * 1024} kB\n")
    ceilings.stream(numpy, 1, 0, tmp_path, Clock(10), notes)
    assert "unknown" in notes[0]
    assert f"arrays of {32 * MEBI} bytes are less" in notes[1]


def test_the_reference_blas_is_no_ceiling(ceilings: Any, tmp_path: Path) -> None:
    maps = tmp_path / "proc/self/maps"
    maps.parent.mkdir(parents=True)
    line = "7f00-7f01 r-xp 00000000 00:1 42   /usr/lib/x86_64-linux-gnu/"
    for name, refused in (("libblas.so.3.12.1", True), ("libopenblasp-r0.3.29.so", False)):
        maps.write_text(f"{line}libc.so.6\n{line}{name}\n")
        assert ceilings.blas(tmp_path) == name
        found, reason = ceilings.multiply(numpy, 0, tmp_path, Clock(10))
        assert (found == [], bool(reason)) == (refused, refused)
    maps.write_text(f"{line}libtorch_cpu.so\n")
    assert ceilings.blas(tmp_path) is None


def probe(folder: Path, python: str = sys.executable, **fields: Any) -> runners.Ended:
    runner = runners.tiny(folder)
    return runners.launch(runner, {"protocol": 1, "duration_ns": 0, **fields}, ("probe",), python)


def test_a_process_of_its_own_answers(tmp_path: Path) -> None:
    ended = probe(tmp_path, threads=2)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert [message["type"] for message in ended.messages] == ["hello", "phase", "phase", "probe", "done"]
    told = ended.one("probe")
    assert (told["threads"], told["reasons"]) == (2, {})
    assert f"numpy {numpy.__version__}" in told["method"]
    assert ended.one("done")["iterations"] == 0
    for part, (low, high) in {"compute": (1e7, 1e14), "memory": (1e7, 1e13)}.items():
        rates = [one["count"] / min(one["values_ns"]) * 1e9 for one in told[part]]
        assert all(low < rate < high for rate in rates), (part, rates)


def test_threads_are_limited_before_numpy_is_loaded(tmp_path: Path) -> None:
    runner = runners.tiny(
        tmp_path, version="import os, numpy; sys.stderr.write(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    ended = runners.launch(runner, {"protocol": 1, "duration_ns": 0, "threads": 1}, ("probe",))
    assert (ended.exit_code, ended.stderr) == (0, "1")


def test_another_accelerator_or_no_numpy_is_unsupported(tmp_path: Path) -> None:
    runner = runners.tiny(tmp_path, before="Tiny.accelerators = ('cpu', 'cuda')")
    ended = runners.launch(runner, {"protocol": 1, "accelerator": "cuda"}, ("probe",))
    assert (ended.exit_code, ended.one("error")["code"]) == (1, "unsupported")
    bare = runners.tiny(tmp_path, version="sys.modules['numpy'] = None")
    ended = runners.launch(bare, {"protocol": 1}, ("probe",))
    assert ended.one("error")["code"] == "unsupported"
    assert "numpy" in ended.one("error")["message"]


def test_an_image_that_holds_the_sdk_alone_is_unsupported(tmp_path: Path) -> None:
    runner = runners.tiny(tmp_path, before="sys.path = [one for one in sys.path if 'runners/sdk' not in one]")
    ended = runners.launch(runner, {"protocol": 1}, ("probe",))
    assert ended.one("error")["code"] == "unsupported"
    assert "ceilings.py" in ended.one("error")["message"]


@pytest.mark.parametrize(
    "line", [b"", b"{", {"protocol": 1, "threads": 0}, {"protocol": 1, "duration_ns": -1}]
)
def test_a_malformed_request_is_refused(tmp_path: Path, line: Any) -> None:
    ended = runners.launch(runners.tiny(tmp_path), line, ("probe",))
    assert (ended.exit_code, ended.one("error")["code"]) == (1, "protocol")

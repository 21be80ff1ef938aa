"""The pure parts of ``python -m benchmarks``: lines, reductions, and what belongs to which block."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as program
from benchmarks import abba, bench_time, converted, figure, image_size, lockstep, observer
from benchmarks.figure import Figure
from benchmarks.observer import Look
from benchmarks.wrapped import Wrapped
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import image_state
from tests.support.records import record

HELD = Figure("help_time", "s", 0.2, 0.1, "<= 0.3 s", True, "peer: another")
MISSED = Figure("merge_memory", "MB", 123.456, 100.0, "ratio <= 1.2", False, "a|b")
ABSENT = figure.absent("lockstep", "ratio within 2 %", "no model")


def test_a_line_tells_figure_peer_ratio_limit_and_verdict() -> None:
    line = figure.line(HELD.cells())
    assert re.split(r"\s{2,}", line) == [
        "help_time",
        "0.200 s",
        "0.100 s",
        "2.000",
        "<= 0.3 s",
        "ok",
        "peer: another",
    ]


def test_columns_lie_below_their_headings() -> None:
    heading, line = figure.line(figure.HEADINGS), figure.line(MISSED.cells())
    assert heading.index("limit") == line.index("ratio <= 1.2")
    assert heading.index("ours") == line.index("123 MB")


def test_what_is_absent_says_why_and_is_neither_held_nor_missed() -> None:
    assert (ABSENT.ok, ABSENT.ratio, ABSENT.verdict) == (None, None, "absent")
    assert re.split(r"\s{2,}", figure.line(ABSENT.cells())) == [
        "lockstep",
        "-",
        "-",
        "-",
        "ratio within 2 %",
        "absent",
        "no model",
    ]


def test_a_figure_without_a_peer_has_no_ratio() -> None:
    alone = Figure("observer_cpu", "%", 0.5, None, "<= 1 %", True, "")
    assert alone.ratio is None
    assert alone.cells()[2:4] == ("-", "-")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123456, "0.0123 u"), (12.3456, "12.3 u"), (123.4, "123 u"), (999.7, "1000 u"), (45678.9, "45679 u")],
)
def test_values_keep_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert Figure("name", "u", value, None, "", True, "").cells()[1] == text


def test_a_table_has_a_row_each_and_no_stray_bars() -> None:
    rows = figure.markdown([HELD, MISSED, ABSENT]).splitlines()
    assert len(rows) == 5
    assert {row.count("|") for row in rows} == {len(figure.HEADINGS) + 1}
    assert rows[3].endswith("| MISS | a/b |")


def test_every_figure_has_one_name_and_one_module() -> None:
    names = [name for module in program.MODULES for name in module.FIGURES]
    assert len(set(names)) == len(names)
    for module in program.MODULES:
        assert module.__doc__ and callable(module.measure)


def module_of(*figures: Figure, problem: str = "") -> ModuleType:
    """A module that measures these, then fails where there is a problem."""
    module = ModuleType("measured")

    def measure(_place: object) -> Iterator[Figure]:
        yield from figures
        if problem:
            raise InferometerError(problem)

    module.FIGURES = (HELD.name, MISSED.name)  # type: ignore[attr-defined]
    module.measure = measure  # type: ignore[attr-defined]
    return module


def run(monkeypatch: pytest.MonkeyPatch, module: ModuleType, *words: str) -> int:
    """The exit status of the program with this module alone."""
    monkeypatch.setattr(program, "MODULES", (module,))
    monkeypatch.setattr("sys.argv", ["benchmarks", *words])
    return program.main()


def test_the_exit_status_is_one_where_a_limit_is_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, module_of(HELD, MISSED)) == 1
    assert "MISS" in capsys.readouterr().out


def test_one_figure_alone_and_no_more_work_after_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, module_of(HELD, problem="not reached"), "--only", HELD.name) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_all_figures_of_a_module_are_had_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, module_of(HELD, MISSED), "measured") == 1
    assert len(capsys.readouterr().out.splitlines()) == 3
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, module_of(HELD), "measures")
    assert "unknown measures; modules are measured" in capsys.readouterr().err


def test_what_cannot_be_measured_is_a_miss_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, module_of(HELD, problem="the runner died")) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert MISSED.name in last and "MISS" in last and "the runner died" in last


@given(st.floats(1, 1e6), st.floats(0.5, 2.0), st.floats(-1e-2, 1e-2), st.integers(1, 20), st.integers(1, 9))
def test_a_linear_drift_does_not_show(
    base: float, ratio: float, slope: float, rounds: int, size: int
) -> None:
    order = abba.ORDER * rounds
    drift = [base * (ratio if side == "a" else 1) + base * slope * at for at, side in enumerate(order)]
    for at, (a, b) in enumerate(abba.pairs([[value] * size for value in drift])):
        middle = base * slope * (4 * at + 1.5)
        assert a - middle == pytest.approx(base * ratio)
        assert b - middle == pytest.approx(base)


def test_outliers_and_a_torn_round_do_not_show() -> None:
    blocks = [[2, 2, 99], [1, 1, 1], [1, 99, 1], [2, 2, 2], [77, 77, 77]]
    assert abba.pairs(blocks) == [(2, 1)]


def test_the_middle_pair_has_the_median_ratio() -> None:
    pairs = [(1.0, 1.0), (30.0, 10.0), (8.0, 4.0)]
    assert abba.middle(pairs) == (8.0, 4.0)
    assert abba.middle(pairs[:2]) == (1.0, 1.0)


def test_blocks_of_both_sides_lie_in_the_order_they_ran() -> None:
    size = lockstep.BLOCK
    ours, bare = [*([1] * size), *([4] * size)], [*([2] * size), *([3] * size)]
    assert [block[0] for block in lockstep.blocks("abba", ours, bare)] == [1, 2, 3, 4]


def test_the_share_of_a_core_counts_what_lies_between_the_looks_around_a_window() -> None:
    looks = [
        Look(0, 10, {1: 0}),
        Look(100, 110, {1: 1000, 2: 50}),
        Look(200, 210, {1: 1004, 2: 53}),
        Look(300, 310, {1: 1010}),  # the second process has ended
        Look(400, 410, {1: 9999}),
    ]
    assert observer.share(looks, (110, 290)) == pytest.approx((10 + 3) / 180)


def test_a_process_that_starts_inside_a_window_counts_from_nothing() -> None:
    looks = [Look(0, 1, {1: 5}), Look(50, 51, {1: 5, 2: 4}), Look(100, 101, {1: 6, 2: 9})]
    assert observer.share(looks, (10, 100)) == pytest.approx((1 + 9) / 90)


def test_turns_alternate_as_ordered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides in one process, in threads: what ran when is the order asked for."""
    from concurrent.futures import ThreadPoolExecutor

    spec = importlib.util.spec_from_file_location(
        "turns", Path(program.__file__).parent / "programs/turns.py"
    )
    assert spec and spec.loader
    turns = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(turns)
    order = abba.ORDER * 25
    for side in "ab":
        os.mkfifo(tmp_path / side)
    for name, value in {"ORDER": order, "TURNS": str(tmp_path), "BLOCK": "8"}.items():
        monkeypatch.setenv(name, value)
    ran: list[tuple[int, str]] = []
    sides = {side: turns.Turns(side) for side in "ab"}

    def work(side: str) -> None:
        ran.extend((place, side) for place in sides[side])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, side) for side in "ab"]:
            done.result(30)
    assert ran == list(enumerate(order))


def test_every_default_runtime_has_an_image_size() -> None:
    runtimes = Catalog(suite_root()).runtimes()
    defaults = [f"image_size_{name}" for name, runtime in runtimes.items() if runtime.default]
    assert defaults == list(image_size.FIGURES)


@pytest.mark.parametrize("missing", ["installed_bytes", "base_bytes"])
def test_a_size_that_nobody_knows_is_absent(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after ``docker rmi`` of the base."""
    sizes = {"bytes": 3, "installed_bytes": 2, "base_bytes": 1, missing: None}
    monkeypatch.setattr(image_state, "state", lambda *given: sizes)
    engine = SimpleNamespace(name="docker")
    place: Any = SimpleNamespace(engine=engine, root=suite_root(), target=lambda runtime: None)
    for found in image_size.measure(place):
        assert (found.verdict, found.ours) == ("absent", None)
        assert f"no {missing}" in found.note


def test_a_wrapped_engine_is_the_engine_in_all_but_its_launches() -> None:
    engine: Any = SimpleNamespace(
        name="inner", prepare=lambda *given: given, see=lambda mount: mount, clean=lambda: ["left"]
    )
    runtime: Any = "runtime"
    wrapped = Wrapped(engine)
    assert (wrapped.name, wrapped.clean()) == ("inner", ["left"])
    assert wrapped.see(runtime) == runtime
    assert wrapped.prepare(runtime, print) == (runtime, print, "cpu")


def test_the_phases_of_a_bench_are_those_of_all_its_trials() -> None:
    records = [
        replace(record(0), phases_ns={"load": 10**9, "measure": 2 * 10**9}),
        replace(record(1), phases_ns={"load": 5 * 10**8}),
        record(2),  # died before its first phase
    ]
    assert bench_time.phases_s(records) == pytest.approx(3.5)


def test_a_bench_of_the_default_models_only_where_all_are_exported() -> None:
    assert bench_time.wish([]) == ()
    assert bench_time.wish(["a", "b"]) == ("--models", bench_time.MODEL)


def benching(folder: Path, body: str) -> Any:
    """A place whose program under test is ``body``, which finds its results folder in ``results``."""
    path = folder / "program.py"
    where = "results = pathlib.Path(sys.argv[sys.argv.index('--results') + 1])"
    path.write_text(f"import pathlib, sys, time\n{where}\n{body}")
    return SimpleNamespace(command=(sys.executable, str(path)), root=folder)


def test_a_start_lasts_until_the_first_request_and_the_bench_is_interrupted(tmp_path: Path) -> None:
    body = """
raw = results / "raw" / "00000"
raw.mkdir(parents=True)
time.sleep(0.3)
try:
    (raw / "request.json").write_text("{}")
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""
    assert 0.29 < bench_time.start_s(benching(tmp_path, body), ()) < 20


def test_a_bench_that_ends_before_its_first_trial_has_no_start(tmp_path: Path) -> None:
    place = benching(tmp_path, "sys.exit('this machine is in use')")
    with pytest.raises(InferometerError, match="ended with 1, not 130: this machine is in use"):
        bench_time.start_s(place, ())


def test_a_bench_with_a_failed_trial_gives_no_figure(tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match="ended with 3, not 0"):
        bench_time.whole(benching(tmp_path, "sys.exit(3)"), ())


def test_what_a_side_gives_cancels_in_the_ratio_of_changed_over_pairs() -> None:
    gain = 0.96  # of being the first of the two processes
    ours, peer = converted.balanced((10 * gain, 8), (8 * gain, 10))
    assert ours / peer == pytest.approx(10 / 8)

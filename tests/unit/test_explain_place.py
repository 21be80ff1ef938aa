"""Where nodes ran, how many threads, what disturbed: notes of what the launches saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain import Case, Execution
from orchestrator.explain import explained
from tests.support.explained import ceiling, document, noted, only, placed, row
from tests.support.schemas import check


def test_nodes_that_ran_elsewhere_have_their_share_and_kinds() -> None:
    seen = Execution(
        nodes={"xnnpack": 53, "builtin": 12},
        operators={"builtin": {"TRANSPOSE": 7, "RESHAPE": 5}, "xnnpack": {"CONV_2D": 53}},
    )
    note = only("nodes_elsewhere", noted(row(execution=seen)))
    assert note
    assert "53 of 65 (82%) on xnnpack, 12 (18%) on builtin (7 TRANSPOSE, 5 RESHAPE)" in note.text
    assert note.evidence == {"total_nodes": 65, "nodes_on_xnnpack": 53, "nodes_on_builtin": 12}


@pytest.mark.parametrize(
    "nodes", [{"xnnpack": 65}, {"xnnpack": 65, "builtin": 0}, {"aot": None}, {"a": None, "b": 3}, {}]
)
def test_one_place_or_an_unknown_number_is_no_fallback(nodes: dict[str, int | None]) -> None:
    assert not only("nodes_elsewhere", noted(row(execution=Execution(nodes=nodes))))


def test_more_threads_than_cores_are_told() -> None:
    note = only("threads_oversubscribed", noted(row(threads=4, execution=Execution(cores=2))))
    assert note and note.evidence == {"threads": 4, "cores": 2}
    assert not only("threads_oversubscribed", noted(row(threads=2, execution=Execution(cores=2))))
    assert not only("threads_oversubscribed", noted(row(threads=4)))
    on_gpu = row(threads=4, accelerator="cuda", execution=Execution(cores=2))
    assert not only("threads_oversubscribed", noted(on_gpu))


def test_threads_that_slow_down_are_told_beyond_doubt_alone() -> None:
    four, two, one = row(p50_ns=40e6, threads=4), row(p50_ns=20e6, threads=2), row(p50_ns=30e6)
    note = only("threads_slower", noted(four, two, one))
    assert note and "4 threads take 40.0 ms, 2 threads only 20.0 ms: 2.00 times as long" in note.text
    assert not only("threads_slower", noted(two, four, one))
    assert not only("threads_slower", noted(row(p50_ns=33e6, width=0.2, threads=2), one))
    assert not only("threads_slower", noted(row(p50_ns=40e6, threads=4, batch=2), two, one))
    noisy = row(p50_ns=40e6, threads=4, findings=("noisy_neighbour",))
    note = only("threads_slower", noted(noisy, two))
    assert note and "one of the two was disturbed (noisy_neighbour)" in note.text


@pytest.mark.parametrize("code", ["throttled", "clock_drop", "hot_start"])
def test_heat_is_told_with_what_was_seen(code: str) -> None:
    hot = replace(row(findings=(code,)), temperatures_c={"zone0": 61.0, "zone1": 87.2})
    note = only("thermal", noted(hot))
    assert note and f"seen: {code} 87 C" in note.text and "zone1, reached 87 C" in note.text
    assert note.evidence["hottest_c"] == 87.2
    assert not only("thermal", noted(replace(row(), temperatures_c={"zone1": 87.2})))


def test_other_programs_are_told() -> None:
    note = only("noisy_neighbour", noted(row(findings=("noisy_neighbour",))))
    assert note and note.evidence["seen"] == "seen: noisy_neighbour 87 C"
    assert not only("noisy_neighbour", noted(row(findings=("unstable",))))


def test_the_loop_s_own_share_is_told_above_its_limit() -> None:
    short = row(p50_ns=16_000.0, execution=Execution(harness_p50_ns=160.0))
    note = only("harness_share", noted(short))
    assert note and "160 ns (1.0%) are the timed loop" in note.text
    assert not only("harness_share", noted(row(execution=Execution(harness_p50_ns=160.0))))


def test_arithmetic_limits_a_convolutional_network() -> None:
    place = placed(row(p50_ns=30e6), ceilings=[ceiling(70e9, 10e9)])
    # 600 MFLOP in 30 ms; 4 bytes a parameter are more than the file's: 14 MB, 42.9 FLOP a byte.
    assert place["flop_per_s"] == pytest.approx(20e9)
    assert place["intensity_flop_per_byte"] == pytest.approx(600 / 14)
    assert place["limit_flop_per_s"] == 70e9 and place["bound"] == "compute"
    assert place["share"] == pytest.approx(2 / 7) and place["reason"] is None
    assert not only("memory_bound", noted(row(p50_ns=30e6), ceilings=[ceiling(70e9, 10e9)]))


def test_memory_limits_where_bandwidth_is_scarce() -> None:
    ceilings = [ceiling(70e9, 1e9)]
    note = only("memory_bound", noted(row(p50_ns=30e6), ceilings=ceilings))
    assert note and "42.9 operations a byte at most, 14.0 MB an inference at least" in note.text
    assert "at most 42.9 GFLOP/s here, of which it reaches 47%" in note.text
    assert note.evidence["bound"] == "memory"


def test_the_batch_raises_the_intensity() -> None:
    one = placed(row(p50_ns=30e6), ceilings=[ceiling()])
    eight = placed(row(p50_ns=240e6, batch=8), ceilings=[ceiling()])
    assert eight["intensity_flop_per_byte"] == pytest.approx(8 * one["intensity_flop_per_byte"])
    assert eight["flop_per_s"] == pytest.approx(one["flop_per_s"])


def test_beyond_a_limit_the_note_says_what_that_means() -> None:
    fast = noted(row(p50_ns=5e6), ceilings=[ceiling(700e9, 1e9)])
    note = only("memory_cached", fast)
    assert note and "2.8 times its limit" in note.text and not only("memory_bound", fast)
    assert only("above_fp32_peak", noted(row("fiq", 5e6), ceilings=[ceiling(70e9)]))
    assert only("peak_too_low", noted(row("nq", 5e6), ceilings=[ceiling(70e9)]))
    assert not noted(row("nq", 8.5e6), ceilings=[ceiling(70e9)])  # 101 %: within what two probes differ by


@pytest.mark.parametrize(
    ("which", "ceilings", "reason"),
    [
        (row(macs=None), [ceiling()], "the multiply-accumulates of this network are not known"),
        (
            replace(row(), artifact=None),
            [ceiling()],
            "the multiply-accumulates of this network are not known",
        ),
        (row(), [], "peak and bandwidth of onnxruntime on cpu with 1 thread were not measured"),
        (row(threads=2), [ceiling()], "peak and bandwidth of onnxruntime on cpu with 2 threads"),
        (row(), [ceiling(accelerator="cuda")], "peak and bandwidth of onnxruntime on cpu"),
        (row(), [ceiling(runtime="tflite")], "peak and bandwidth of onnxruntime on cpu"),
        (row(), [ceiling(None)], "numpy is not in this image"),
    ],
)
def test_an_unknown_limit_has_its_reason(which: object, ceilings: object, reason: str) -> None:
    place = placed(which, ceilings=ceilings)  # type: ignore[arg-type]
    assert place["reason"].startswith(reason)
    assert place["share"] is None and place["limit_flop_per_s"] is None


def test_rows_without_speed_have_no_limit_and_no_notes() -> None:
    failed, emulated = row(p50_ns=None), replace(row(threads=9), emulated=True)
    assert placed(failed) is None and placed(emulated, ceilings=[ceiling(threads=9)]) is None
    assert noted(failed) == [] and noted(emulated, row(p50_ns=1e6)) == []


def test_the_document_stays_valid_and_whole() -> None:
    made = document(row("fiq", 36e6, findings=("throttled",)), row("nq", 30e6), row(p50_ns=20e6, threads=2))
    done = explained(made)
    check("summary", done)
    assert [Case.from_json(case["case"]) for case in done["cases"]] == [
        Case.from_json(case["case"]) for case in made["cases"]
    ]
    assert explained(done) == done
    assert any(case["notes"] for case in done["cases"])

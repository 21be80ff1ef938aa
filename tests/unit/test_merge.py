"""Trials to rows, rows to documents, documents to comparisons."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.domain import (
    InferometerError,
    Memory,
    Parity,
    Quantile,
    Score,
    Skip,
    Verdict,
)
from orchestrator.findings import Circumstances
from orchestrator.merge import (
    Facts,
    join,
    summarise,
    summary_document,
)
from orchestrator.migrations import SCHEMA
from orchestrator.statistics.quantiles import median, quantile
from tests.support.results import artifact, case, document, failed, header, record, summary, window
from tests.support.schemas import check


def merged(*documents: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    pieces: list[str] = []
    total = join(documents, pieces.append)
    found = json.loads("".join(pieces))
    assert total == len(found["cases"])
    return found


# Rows


def test_figures_of_a_row() -> None:
    windows = [window(1e7 * factor, i, 200) for i, factor in enumerate((1, 1.02, 0.98, 1.01, 1))]
    records = [record(case(batch=4), i, values) for i, values in enumerate(windows)]
    row = summarise(case(batch=4), records, windows, (), Verdict.VALID, Facts(5, "trained"))
    medians = [median(values) for values in windows]
    means = [sum(values) / len(values) for values in windows]
    pool = sorted(value for values in windows for value in values)
    assert row.p50_ns == pytest.approx(sum(medians) / 5)
    assert row.mean_ns == pytest.approx(sum(means) / 5)
    assert row.rate_hz == pytest.approx(4 / (row.mean_ns / 1e9))
    assert row.p90.value_ns == pytest.approx(quantile(pool, 0.9))
    assert row.p99.value_ns == pytest.approx(quantile(pool, 0.99))
    assert row.interval is not None
    assert row.interval.low_ns < row.p50_ns < row.interval.high_ns
    assert row.launch_p50_ns == tuple(medians)
    assert (row.launches, row.failed, row.count) == (5, 0, 1000)
    assert row.load_ns == 86_000_000  # the third of 84 to 88 ms
    assert row.first_ns == median([record.first_ns or 0 for record in records])
    assert (row.artifact_bytes, row.weights, row.engine) == (5, "trained", "docker")


def test_a_row_is_the_same_whenever_it_is_computed() -> None:
    assert summary(case(), 1e7) == summary(case(), 1e7)


def test_memory_accuracy_and_parity_are_the_worst_of_all_launches() -> None:
    windows = [window(1e7, i, 100) for i in range(3)]
    scores = [Score(9, 10), Score(8, 10), Score(10, 10)]
    parities = [Parity(4, 4, 0.5), Parity(4, 4, None), Parity(4, 4, 0.1)]
    peaks = [
        Memory(10, load_container_peak_bytes=7, inference_vm_hwm_bytes=3, vm_hwm_bytes=9),
        Memory(30, inference_container_peak_bytes=30, inference_vm_hwm_bytes=4, vm_hwm_bytes=8),
        Memory(),
    ]
    records = [
        record(case(), i, windows[i], accuracy=scores[i], parity=parities[i], memory=peaks[i])
        for i in range(3)
    ]
    row = summarise(case(), records, windows, (), Verdict.VALID, Facts(weights="trained"))
    assert row.accuracy == Score(8, 10)
    assert row.parity == Parity(4, 4, None)
    assert (row.container_peak_bytes, row.vm_hwm_bytes) == (30, 9)
    assert (row.load_container_peak_bytes, row.inference_container_peak_bytes) == (7, 30)
    assert row.inference_vm_hwm_bytes == 4
    unequal = summarise(
        case(),
        [record(case(), 0, windows[0], parity=Parity(3, 4, 0.1)), records[1]],
        windows[:2],
        (),
        Verdict.VALID,
        Facts(),
    )
    assert unequal.parity == Parity(3, 4, 0.1)


def test_random_weights_show_no_accuracy() -> None:
    assert summary(case(), 1e7, accuracy=Score(9, 10)).accuracy is None


def test_what_is_unknown_stays_none() -> None:
    values = window(1e7, 0, 50)
    bare = record(case(), 0, values, memory=None, parity=None, first_ns=None, phases_ns={})
    row = summarise(case(), [bare], [values], (), Verdict.VALID, Facts())
    for name in (
        "interval",
        "between_launch_cv",
        "first_ns",
        "load_ns",
        "container_peak_bytes",
        "load_container_peak_bytes",
        "inference_container_peak_bytes",
        "vm_hwm_bytes",
        "inference_vm_hwm_bytes",
        "parity",
    ):
        assert getattr(row, name) is None, name
    assert row.p90 == Quantile(None, "n too small: 50 of 64")
    assert row.p99 == Quantile(None, "n too small: 50 of 662")


def test_modes_have_no_interval() -> None:
    assert summary(case(), 1e7, modes=(1.0, 1.3)).interval is None


def test_a_case_without_a_good_launch_keeps_its_first_reason() -> None:
    records = [failed(case(), 0, reason="no memory"), failed(case(), 1, reason="other")]
    row = summarise(case(), records, [], (), Verdict.INVALID, Facts())
    assert (row.failure, row.launches, row.failed, row.p50_ns) == ("oom: no memory", 0, 2, None)
    assert summarise(case(), [], [], (), Verdict.INVALID, Facts()).failure == "no launch was made"


def test_failed_launches_beside_good_ones_do_not_count() -> None:
    values = window(1e7, 0, 700)
    records = [failed(case(), 0), record(case(), 1, values)]
    row = summarise(case(), records, [values], (), Verdict.SUSPECT, Facts())
    assert (row.launches, row.failed, row.count, row.failure) == (1, 1, 700, None)


def test_windows_must_match_the_good_launches() -> None:
    with pytest.raises(ValueError, match="1 good launches, but 0 windows"):
        summarise(case(), [record(case(), 0, [1, 2])], [], (), Verdict.VALID, Facts())


# Comparisons


def one(name: str, device: str, p50_ns: float = 1e7, **run: Any) -> tuple[str, dict[str, Any]]:
    rows = [summary(case(device=device), p50_ns, circumstances=Circumstances(weights="trained"))]
    return name, summary_document(header(name, device, **run), rows, [artifact()], [])


def test_two_machines_become_one_comparison() -> None:
    found = merged(one("a", "x86"), one("b", "rpi5", machine="1" * 64))
    check("merged", found)
    assert [row["run"] for row in found["cases"]] == ["a", "b"]
    assert [run["name"] for run in found["runs"]] == ["a", "b"]
    assert found["artifacts"] == [{**artifact(), "runs": ["a", "b"]}]


def test_equal_skips_stand_once() -> None:
    skip = Skip(case("pytorch"), "no g++")
    documents = [(n, summary_document(header(n), [], [], [skip])) for n in ("a", "b")]
    assert merged(*documents)["skips"] == [{"case": skip.case.to_json(), "reason": "no g++"}]


def refused(*documents: tuple[str, dict[str, Any]]) -> str:
    with pytest.raises(InferometerError) as caught:
        join(documents, lambda text: None)
    return str(caught.value)


def test_a_case_in_two_folders_is_refused_by_name() -> None:
    assert refused(one("a", "x86"), one("b", "x86")) == (
        "case x86/onnxruntime/resnet50/nq/b1/t1 is in a and in b; merge only one of them"
    )


@pytest.mark.parametrize(
    ("machine", "host", "refusal"),
    [
        ("1" * 64, {}, True),
        ("0" * 64, {"cpu_model": "renamed"}, False),
        (None, {}, True),
        (None, header()["host"], False),
    ],
)
def test_one_device_on_two_machines_is_refused(
    machine: str | None, host: dict[str, str], refusal: bool
) -> None:
    other = summary_document(header("b", machine=machine, host=host), [summary(case("tflite"), 1e7)], [], [])
    if refusal:
        message = refused(one("a", "x86"), ("b", other))
        assert message.startswith("device x86 is one machine in b and another in a;")
    else:
        assert len(merged(one("a", "x86"), ("b", other))["cases"]) == 2


def test_one_model_with_two_artifacts_is_refused() -> None:
    name, other = one("b", "rpi5")
    other["artifacts"] = [artifact(sha256="c" * 64)]
    assert refused(one("a", "x86"), (name, other)) == (
        "resnet50/nq/b1 in onnx is artifact cccccccccccc in b but aaaaaaaaaaaa in a; "
        "run both from the same exported files"
    )
    other["artifacts"] = [artifact(sha256="c" * 64, batch=2), artifact(format_="tflite", sha256="d" * 64)]
    assert len(merged(one("a", "x86"), (name, other))["artifacts"]) == 3
    other["artifacts"] = [{"model": "resnet50"}]
    assert "b: an artifact has no variant" in refused((name, other))


def test_emulated_cases_are_not_compared_with_real_ones() -> None:
    name, other = one("b", "rpi5", machine="1" * 64)
    other["cases"][0]["emulated"] = True
    assert refused(one("a", "x86"), (name, other)) == refused((name, other), one("a", "x86"))
    assert refused(one("a", "x86"), (name, other)).startswith("b ran under emulation and a did not")
    third = one("c", "rpi4", machine="2" * 64)
    third[1]["cases"][0]["emulated"] = True
    assert len(merged((name, other), third)["cases"]) == 2


@pytest.mark.parametrize("swapped", [False, True])
def test_an_emulated_board_beside_the_board_is_refused_for_the_emulation(swapped: bool) -> None:
    """Another machine than the board made its figures: a profile of its own would not help."""
    real, (name, other) = one("a", "rpi5"), one("b", "rpi5", machine="1" * 64)
    other["cases"][0]["emulated"] = True
    documents = [real, (name, other)]
    assert refused(*reversed(documents) if swapped else documents) == (
        "b ran under emulation and a did not: their speeds cannot be compared; "
        "merge emulated runs among themselves"
    )


def test_another_protocol_major_is_refused_and_a_minor_is_not() -> None:
    assert refused(one("a", "x86"), one("b", "rpi5", protocol="2.0.0")).startswith(
        "protocol 2.0.0 in b but 1.0.0 in a;"
    )
    assert len(merged(one("a", "x86"), one("b", "rpi5", protocol="1.3.0"))["cases"]) == 2


def test_a_comparison_is_not_merged_again() -> None:
    assert "c: a comparison already" in refused(("c", merged(one("a", "x86"))))


def test_a_row_without_a_case_is_refused_naming_its_place() -> None:
    name, broken = one("a", "x86")
    broken["cases"].append({"case": {"device": "x86"}})
    assert refused((name, broken)).startswith("a: field cases[1].case is no case")


def test_many_trials_are_joined_in_bounded_memory() -> None:
    """20 runs of 200 cases of 5 launches."""
    template = document()["cases"][0]

    def documents() -> Iterator[tuple[str, dict[str, Any]]]:
        for number in range(20):
            device = f"d{number}"
            rows = [{**template, "case": case(device=device, threads=n + 1).to_json()} for n in range(200)]
            yield (
                device,
                {
                    "schema": SCHEMA,
                    "run": header(device, device),
                    "artifacts": [],
                    "cases": json.loads(json.dumps(rows)),
                    "skips": [],
                },
            )

    def peak(runs: int) -> int:
        stream = documents()
        tracemalloc.start()
        assert join((next(stream) for _ in range(runs)), lambda text: None) == 200 * runs
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # Two runs need two documents for a moment; ten times as many runs need hardly more.
    assert peak(20) < 1.6 * peak(2)

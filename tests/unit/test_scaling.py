"""Curves over threads and batches, and their knees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import scaling
from orchestrator.domain import Execution
from orchestrator.explain import explained, notes
from orchestrator.statistics.quotient import Estimate, quotient
from tests.support.explained import ceiling, document, row


def curves(*rows: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(*rows)["curves"]
    return found


def sweep(rates_hz: dict[int, float], width: float | None = 0.005) -> list[Any]:
    return [row(batch=batch, p50_ns=batch * 1e9 / rate, width=width) for batch, rate in rates_hz.items()]


def test_a_curve_has_its_speed_up_and_efficiency() -> None:
    (curve,) = curves(row(p50_ns=40e6), row(p50_ns=25e6, threads=2), row(p50_ns=20e6, threads=4))
    assert curve["kind"] == "threads" and "threads" not in curve["case"]
    assert [point["x"] for point in curve["points"]] == [1, 2, 4]
    assert [point["speed_up"] for point in curve["points"]] == pytest.approx([1.0, 1.6, 2.0])
    assert [point["efficiency"] for point in curve["points"]] == pytest.approx([1.0, 0.8, 0.5])
    assert curve["points"][2]["case_id"].endswith("/b1/t4")


def test_the_knee_is_the_smallest_batch_near_the_best() -> None:
    (curve,) = curves(*sweep({1: 50, 2: 80, 4: 97, 8: 98, 16: 100, 32: 99}))
    assert curve["knee"] == 4 and curve["reason"] is None
    assert [point["efficiency"] for point in curve["points"]] == [None] * 6


def test_a_rising_throughput_has_no_knee() -> None:
    (curve,) = curves(*sweep({1: 50, 2: 80, 4: 120}))
    assert curve["knee"] is None
    assert curve["reason"] == "throughput still rises at batch 4, the most that was measured"


def test_wide_or_missing_intervals_support_no_knee() -> None:
    (curve,) = curves(*sweep({1: 50, 4: 97, 8: 100}, width=0.1))
    assert curve["knee"] is None and "batch 4 comes within 5 % of the best, but" in curve["reason"]
    (curve,) = curves(*sweep({1: 50, 4: 100, 8: 97}, width=0.1))  # the best itself is no knee without proof
    assert curve["knee"] is None and "the intervals allow" in curve["reason"]
    (curve,) = curves(*sweep({1: 50, 4: 97, 8: 100}, width=None))
    assert curve["knee"] is None and "not every point has an interval" in curve["reason"]


def test_what_failed_is_named_and_no_point() -> None:
    rows = [*sweep({1: 50, 2: 80, 4: 79}), row(batch=8, p50_ns=None)]
    (curve,) = curves(*rows)
    assert curve["knee"] == 2 and curve["reason"] == "batch 8 gave no figure"
    assert [point["x"] for point in curve["points"]] == [1, 2, 4]


def test_one_point_other_cases_and_emulation_make_no_curve() -> None:
    assert curves(row()) == []
    assert curves(row(), row(threads=2, batch=2)) == []
    assert curves(row(), row("fiq", threads=2), row(threads=2, runtime="tflite")) == []
    assert curves(replace(row(), emulated=True), replace(row(threads=2), emulated=True)) == []


def test_quotients_cover_the_true_ratio() -> None:
    random = np.random.default_rng(1)
    top, bottom, error = 3.0, 2.0, 0.2
    covered = 0
    for _ in range(2000):
        a, b = random.normal(top, error), random.normal(bottom, error)
        half = 1.96 * error
        found = quotient(Estimate(a, a - half, a + half), Estimate(b, b - half, b + half))
        assert found and found.low <= found.value <= found.high
        covered += found.low <= top / bottom <= found.high
    assert 0.935 <= covered / 2000 <= 0.965


def test_a_quotient_by_what_may_be_nothing_is_none() -> None:
    assert quotient(Estimate(1, 0.9, 1.1), Estimate(1, 0, 2)) is None
    assert quotient(Estimate(1, 0.9, 1.1), Estimate(1, 0.5, 2.5)) is None
    exact = quotient(Estimate(3, 3, 3), Estimate(2, 2, 2))
    assert exact == Estimate(1.5, 1.5, 1.5)


_counts = st.dictionaries(st.sampled_from(["Cast", "Conv", "QUANTIZE", "MAX_POOL_2D"]), st.integers(1, 90))
_rows = st.builds(
    row,
    variant=st.sampled_from(["nq", "fiq", "blq", "f16", "prq", "prn", "kd-fiq"]),
    p50_ns=st.none() | st.floats(1e3, 1e10),
    width=st.none() | st.floats(1e-4, 0.9),
    findings=st.lists(st.sampled_from(["throttled", "noisy_neighbour", "hot_start"]), max_size=2).map(tuple),
    execution=st.none()
    | st.builds(
        Execution,
        nodes=st.dictionaries(st.sampled_from(["xnnpack", "builtin"]), st.none() | st.integers(0, 99)),
        operators=st.dictionaries(st.sampled_from(["xnnpack", "builtin"]), _counts),
        compute=st.dictionaries(st.sampled_from(["float32", "int8", "hybrid"]), st.integers(1, 99)),
        float_fallback=_counts,
        cores=st.none() | st.integers(1, 4),
        harness_p50_ns=st.none() | st.floats(0, 1e4),
    ),
    macs=st.none() | st.integers(1, 10**12),
    batch=st.sampled_from([1, 2, 8]),
    threads=st.sampled_from([1, 2, 4]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_rows, min_size=1, max_size=6, unique_by=lambda made: made.case.id),
    st.floats(1e6, 1e14),
    st.none() | st.lists(st.sampled_from(["avx_vnni"]), max_size=1),
)
def test_no_note_without_evidence_and_no_share_below_zero(
    rows: list[Any], peak: float, dot_product: list[str] | None
) -> None:
    processor = {"arch": "x86_64", "cores": 4, "dot_product": dot_product, "dot_product_reason": None}
    made = document(*rows, ceilings=[ceiling(peak)], processor=processor)
    for found in notes(made).values():
        for note in found:
            assert note.evidence and note.text.endswith(".") and "None" not in note.text
    for case in explained(made)["cases"]:
        place = case["roofline"]
        assert place is None or (place["share"] is None) != (place["reason"] is None)
        assert place is None or place["share"] is None or place["share"] > 0
    for curve in scaling.curves(made["cases"]):
        assert curve["knee"] is None or curve["knee"] in [point["x"] for point in curve["points"]]
        assert curve["knee"] is not None or curve["reason"]

"""Lines about ceilings and LoadGen's verdicts."""

from __future__ import annotations

from typing import Any

from orchestrator.domain import MlperfResult
from orchestrator.report.beside import ceiling_lines, mlperf_lines

CEILING: dict[str, Any] = {
    "runtime": "onnxruntime",
    "accelerator": "cpu",
    "threads": 2,
    "flop_per_s": 69.83e9,
    "flop_kernel": "sgemm 512",
    "bandwidth_bytes_per_s": 5.62e9,
    "bandwidth_kernel": "add",
    "reason": None,
}
STREAM = MlperfResult(
    "SingleStream",
    "VALID",
    "90.0th percentile latency",
    1_253_781.0,
    None,
    1_382_262.0,
    (),
    {"min_duration_ms": 2000},
    "6.0.17 @ d6147c7eb7",
    1_105_000.0,
)


def test_ceilings_are_told_with_their_kernels_or_their_reason() -> None:
    half = {**CEILING, "flop_per_s": None, "flop_kernel": None, "reason": "no BLAS"}
    assert ceiling_lines([{"name": "a", "ceilings": [CEILING, half]}]) == [
        "ceilings, onnxruntime on cpu, threads 2: 69.8 GFLOP/s (sgemm 512), 5.62 GB/s (add)",
        "ceilings, onnxruntime on cpu, threads 2: 5.62 GB/s (add), unknown: no BLAS",
    ]
    assert ceiling_lines([{"name": "a", "ceilings": [CEILING]}, {"name": "b"}])[0].startswith(
        "ceilings of a,"
    )
    assert ceiling_lines([{"name": "a"}, {"name": "b", "ceilings": None}]) == []


def test_a_verdict_is_told_with_its_settings() -> None:
    slow = MlperfResult(
        "Offline", "INVALID", "Samples per second", None, 746.877, None, ("not satisfied: min duration",)
    )
    none = MlperfResult("SingleStream", reason="no LoadGen")
    assert mlperf_lines([("m alpha", STREAM), ("n alpha", slow), ("o alpha", none), ("p alpha", None)]) == [
        "MLPerf SingleStream, m alpha: VALID, 90.0th percentile latency 1.254 ms (LoadGen 6.0.17, early "
        "stopping estimate 1.382 ms, our median 1.105 ms, at least 2 s; MLPerf's rules ask for 600 s)",
        "MLPerf Offline, n alpha: INVALID, Samples per second 746.9 (LoadGen ?); not satisfied: min duration",
        "MLPerf SingleStream, o alpha: no verdict: no LoadGen",
    ]

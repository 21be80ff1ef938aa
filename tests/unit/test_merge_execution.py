"""What runners and files say of the computation, in one row."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain import Execution, TrialRecord
from orchestrator.merge import execution
from tests.support.results import case, failed, record, window

MODEL = {
    "inputs": [{"name": "x", "shape": [2, 3, 4, 4], "dtype": "float32", "quantization": None}],
    "outputs": [
        {"name": "y", "shape": [2, 10], "dtype": "int8", "quantization": None},
        {"name": "z", "shape": [], "dtype": "float16", "quantization": None},
    ],
}
PLACEMENT = {
    "requested": "cpu",
    "executed": {"xnnpack": 3, "builtin": 1},
    "nodes": [
        {"name": "0", "op": "CONV_2D", "on": "xnnpack"},
        {"name": "1", "op": "CONV_2D", "on": "xnnpack"},
        {"name": "2", "op": "MEAN", "on": "xnnpack"},
        {"name": "3", "op": "TRANSPOSE", "on": "builtin"},
    ],
}


def good(launch: int = 0, **fields: Any) -> TrialRecord:
    return record(case(), launch, window(1e6, launch), **fields)


def test_launches_become_one_execution() -> None:
    facts = {"compute": {"float32": 1, "int8": 7}, "float_fallback": {"SOFTMAX": 1}, "operators": 8}
    artifact = {"format": "tflite", "bytes": 9, "facts": facts}
    records = [
        failed(case(), 0),
        good(1, artifact=artifact, cores=(2, 3), harness_p50_ns=110.0),
        good(2, artifact=artifact, cores=(3,), harness_p50_ns=150.0),
    ]
    assert execution(records, PLACEMENT, MODEL) == Execution(
        nodes={"xnnpack": 3, "builtin": 1},
        operators={"builtin": {"TRANSPOSE": 1}, "xnnpack": {"CONV_2D": 2, "MEAN": 1}},
        compute={"float32": 1, "int8": 7},
        float_fallback={"SOFTMAX": 1},
        input_bytes=2 * 3 * 4 * 4 * 4,
        output_bytes=20 + 2,
        cores=1,
        harness_p50_ns=150.0,
    )


def test_what_was_not_told_is_unknown() -> None:
    assert execution([failed(case(), 0)], None, None) is None
    unknown = execution([good(cores=(), harness_p50_ns=None)], None, None)
    assert unknown == Execution()


@pytest.mark.parametrize(
    "tensor",
    [
        {"name": "x", "shape": [None, 3], "dtype": "float32", "quantization": None},
        {"name": "x", "shape": ["batch", 3], "dtype": "float32", "quantization": None},
        {"name": "x", "shape": [1, 3], "dtype": "string", "quantization": None},
    ],
)
def test_an_open_size_is_unknown(tensor: dict[str, Any]) -> None:
    found = execution([good()], None, {"inputs": [tensor], "outputs": MODEL["outputs"]})
    assert found and found.input_bytes is None and found.output_bytes == 22


def test_nodes_in_another_shape_are_left_out() -> None:
    """Readers do not check them: only the counts are part of what a transcript must have."""
    told = {**PLACEMENT, "nodes": ["0", {"op": "CONV_2D"}, {"op": "MEAN", "on": "xnnpack"}]}
    found = execution([good()], told, None)
    assert found and found.operators == {"xnnpack": {"MEAN": 1}}
    found = execution([good()], {**PLACEMENT, "nodes": 7}, None)
    assert found and found.operators == {} and found.nodes == PLACEMENT["executed"]

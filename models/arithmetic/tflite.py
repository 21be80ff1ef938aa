"""TFLite: the types of an operator's tensors decide what its kernel computes with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from models.arithmetic import integers, summary

KINDS = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
TYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if name.isupper()}
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
NUMBERS = ("float32", "float16", "int8", "uint8", "int16", "int4")  # int32: shapes and biases


def facts(path: Path) -> dict[str, Any]:
    """As models/arithmetic says."""
    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    kinds = [KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
    constants = list(weights(model))
    return {
        **summary(
            [
                (kinds[operator.opcodeIndex], type_of(graph, operator))
                for operator in graph.operators
                if kinds[operator.opcodeIndex] not in CONVERSIONS
            ],
            [(type_, len(data)) for type_, data in constants],
        ),
        **integers([data for type_, data in constants if type_ == "int8"]),
    }


def type_of(graph: Any, operator: Any) -> str:
    """Of its output; ``hybrid`` for float activations and integer weights."""
    result = TYPES[graph.tensors[operator.outputs[0]].type]
    inputs = {TYPES[graph.tensors[index].type] for index in operator.inputs if index >= 0}
    return "hybrid" if result == "float32" and "int8" in inputs else result


def weights(model: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Type and elements of every constant of at least two axes."""
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        type_ = TYPES[tensor.type]
        if data is not None and len(data) and type_ in NUMBERS and len(tensor.shape) > 1:
            yield type_, np.frombuffer(bytes(data), "int8" if type_ == "int4" else type_)

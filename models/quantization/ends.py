"""TFLite graphs with integer inputs and outputs, given float32 ones by a conversion at each end.

LiteRT Torch takes the conversions that a network begins and ends with out of a quantized graph.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

INT8, FLOAT32 = schema.TensorType.INT8, schema.TensorType.FLOAT32
VERSIONS = {schema.BuiltinOperator.QUANTIZE: 1, schema.BuiltinOperator.DEQUANTIZE: 2}  # the first with int8


def make_float(path: Path) -> None:
    """Rewrite the file; names stay those of the ends, also in the signature."""
    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    for position, old in enumerate(graph.inputs):
        if graph.tensors[old].type == INT8:
            new = float_twin(graph, old)
            graph.operators.insert(0, operator(model, schema.BuiltinOperator.QUANTIZE, new, old))
            graph.inputs[position] = new
            redirect(model.signatureDefs[0].inputs, old, new)
    for position, old in enumerate(graph.outputs):
        if graph.tensors[old].type == INT8:
            new = float_twin(graph, old)
            graph.operators.append(operator(model, schema.BuiltinOperator.DEQUANTIZE, old, new))
            graph.outputs[position] = new
            redirect(model.signatureDefs[0].outputs, old, new)
    flatbuffer_utils.write_model(model, str(path))


def float_twin(graph: Any, index: int) -> int:
    """The index of a new tensor of the same shape, which takes the name over."""
    old = graph.tensors[index]
    new = copy.copy(old)
    new.type, new.quantization = FLOAT32, None
    old.name = old.name + b"_int8"
    graph.tensors.append(new)
    return len(graph.tensors) - 1


def operator(model: Any, kind: int, source: int, target: int) -> Any:
    """A conversion between two tensors."""
    made = schema.OperatorT()
    made.opcodeIndex = len(model.operatorCodes)
    made.inputs, made.outputs = [source], [target]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = VERSIONS[kind]
    model.operatorCodes.append(code)
    return made


def redirect(ends: Any, old: int, new: int) -> None:
    """Let a signature name the new tensor."""
    for end in ends:
        if end.tensorIndex == old:
            end.tensorIndex = new

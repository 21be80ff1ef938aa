"""ONNX: Q/DQ pairs around operators, or tensors of another type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from models.arithmetic import integers, summary
from models.arithmetic.qdq import Node, types

CONVERSIONS = ("QuantizeLinear", "DequantizeLinear", "Cast", "Constant")
WEIGHED = ("Conv", "Gemm", "MatMul")
CARRIERS = ("QuantizeLinear", "DequantizeLinear", "Cast", "Identity")


def facts(path: Path) -> dict[str, Any]:
    """As models/arithmetic says."""
    model = onnx.load(path)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    arrays = weights(model.graph)
    return {
        **summary(operators(model.graph, constants), [(str(array.dtype), array.size) for array in arrays]),
        **integers([array for array in arrays if array.dtype == np.int8]),
    }


def operators(graph: Any, constants: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and type of every operator that converts nothing."""
    kinds = {node.op_type for node in graph.node}
    if "QuantizeLinear" in kinds:
        # What is dequantized of a constant is one.
        fixed = set(constants)
        for node in graph.node:
            if node.input and set(node.input) <= fixed:
                fixed.update(node.output)
        nodes = [
            Node(
                node.op_type,
                tuple(name for name in node.input if name and name not in fixed),
                tuple(node.output),
            )
            for node in graph.node
            if not set(node.output) <= fixed
        ]
        return types(nodes, "QuantizeLinear", "DequantizeLinear")
    halves = {name for name, tensor in constants.items() if tensor.data_type == onnx.TensorProto.FLOAT16}
    half = bool(halves)
    float_results = {value.name for value in graph.output if value.type.tensor_type.elem_type == 1}
    return [
        (node.op_type, "float16" if half and not set(node.output) & float_results else "float32")
        for node in graph.node
        if node.op_type not in CONVERSIONS
    ]


def weights(graph: Any) -> list[np.ndarray]:
    """The constants behind the second inputs of products, through what merely converts them."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    found = {}
    for node in graph.node:
        if node.op_type not in WEIGHED:
            continue
        name = node.input[1]
        while name not in constants and name in maker and maker[name].op_type in CARRIERS:
            name = maker[name].input[0]
        if name in constants:
            found[name] = onnx.numpy_helper.to_array(constants[name])
    return list(found.values())

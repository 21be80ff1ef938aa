"""Exported programs: decomposed quantize and dequantize operators, or tensors of another type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.ao.quantization.fx._decomposed

from models.arithmetic import integers, summary
from models.arithmetic.qdq import Node, types

QUANTIZE, DEQUANTIZE = "quantize", "dequantize"
CONVERSIONS = ("to", "_to_copy", "clone", "contiguous", "_assert_tensor_metadata")
NAMES = {torch.float32: "float32", torch.float16: "float16", torch.int8: "int8"}


def facts(path: Path) -> dict[str, Any]:
    """As models/arithmetic says."""
    program = torch.export.load(path)
    tensors = {**program.state_dict, **program.constants}
    weights = [value for value in tensors.values() if torch.is_tensor(value) and value.dim() > 1]
    return {
        **summary(
            operators(program),
            [(NAMES.get(value.dtype, str(value.dtype)), value.numel()) for value in weights],
        ),
        **integers([value.numpy() for value in weights if value.dtype == torch.int8]),
    }


def operators(program: Any) -> list[tuple[str, str]]:
    """Kind and type of every operator that converts nothing."""
    called = [node for node in program.graph.nodes if node.op == "call_function"]
    kinds = [kind_of(node) for node in called]
    if QUANTIZE not in kinds:
        return [
            (kind, NAMES[node.meta["val"].dtype])
            for kind, node in zip(kinds, called, strict=True)
            if kind not in CONVERSIONS
        ]
    inputs = set(program.graph_signature.user_inputs)
    varying: set[str] = set(inputs)
    for node in called:
        if any(source.name in varying for source in node.all_input_nodes):
            varying.add(node.name)
    nodes = [
        Node(kind, tuple(s.name for s in node.all_input_nodes if s.name in varying), (node.name,))
        for kind, node in zip(kinds, called, strict=True)
        if node.name in varying
    ]
    return types(nodes, QUANTIZE, DEQUANTIZE)


def kind_of(node: Any) -> str:
    """``aten.conv2d.default`` -> conv2d; quantize and dequantize of either grain have one name."""
    name = str(node.target).split(".")[1]
    for kind in (DEQUANTIZE, QUANTIZE):
        if name.startswith(f"{kind}_per_"):
            return kind
    return name.rstrip("_")

"""Graphs that hold quantized arithmetic as pairs of quantize and dequantize around float operators.

A runtime with integer kernels replaces dequantize -> operator -> quantize by one of them. So an operator
counts as integer here where everything it is given was dequantized and everything it gives is quantized, or
passes through further operators (a rectification) that are. A matrix product may also give floats: kernels
for that exist everywhere.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

PRODUCTS = ("Gemm", "MatMul", "linear")


@dataclass(frozen=True)
class Node:
    """An operator of a graph: its kind, and the names of the tensors (no constants) in and out of it."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def types(nodes: list[Node], quantize: str, dequantize: str) -> list[tuple[str, str]]:
    """Kind and ``int8`` or ``float32`` of every operator but the conversions; ``nodes`` in order."""
    maker = {name: index for index, node in enumerate(nodes) for name in node.outputs}
    users: dict[str, list[int]] = defaultdict(list)
    for index, node in enumerate(nodes):
        for name in node.inputs:
            users[name].append(index)

    fed: list[bool] = []  # all it is given was dequantized, directly or before a chain of operators
    for node in nodes:
        made = [maker.get(name) for name in node.inputs]
        fed.append(
            bool(made)
            and all(
                index is not None
                and nodes[index].kind != quantize
                and (nodes[index].kind == dequantize or (fed[index] and only_user(nodes[index], users)))
                for index in made
            )
        )
    kept = [False] * len(nodes)  # all it gives is quantized in the end
    for index in reversed(range(len(nodes))):
        following = [user for name in nodes[index].outputs for user in users[name]]
        kept[index] = bool(following) and all(
            nodes[user].kind == quantize or (kept[user] and fed[user] and nodes[user].kind != dequantize)
            for user in following
        )
    return [
        (node.kind, "int8" if is_fed and (is_kept or node.kind in PRODUCTS) else "float32")
        for node, is_fed, is_kept in zip(nodes, fed, kept, strict=True)
        if node.kind not in (quantize, dequantize)
    ]


def only_user(node: Node, users: dict[str, list[int]]) -> bool:
    """Whether a node's results go to one place, so that a kernel may take both."""
    return sum(len(users[name]) for name in node.outputs) == 1

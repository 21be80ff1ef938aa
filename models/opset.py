"""ONNX graphs brought to opset 13 and IR 7, which every TensorRT from 8.2 on reads.

torch's newer exporter writes opset 18 whatever it is asked for, and its own version converter fails on
Q/DQ graphs. What networks and their quantized forms use differs little: inputs that were attributes, and
attributes that came later and are given at their defaults.
"""

from __future__ import annotations

from typing import Any

import onnx

from models.errors import ExportError

OPSET = 13
HIGHEST_IR = 8
IR = 7
# Came after 13 and say nothing at these values.
DEFAULTS: dict[str, dict[str, Any]] = {
    "Reshape": {"allowzero": 0},
    "QuantizeLinear": {"saturate": 1, "output_dtype": 0, "block_size": 0, "precision": 0},
    "DequantizeLinear": {"block_size": 0, "output_dtype": 0},
    "ReduceMean": {"noop_with_empty_axes": 0},
    "ReduceMax": {"noop_with_empty_axes": 0},
}


def lower(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The model itself, lowered in place. Raises ExportError naming an operator that stays above."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = [made for node in model.graph.node for made in expanded(node)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for node in model.graph.node:
        if node.op_type in ("ReduceMean", "ReduceMax") and len(node.input) > 1:
            axes = [int(axis) for axis in onnx.numpy_helper.to_array(constants[node.input[1]])]
            del node.input[1]
            node.attribute.append(onnx.helper.make_attribute("axes", axes))
        for attribute in list(node.attribute):
            default = DEFAULTS.get(node.op_type, {}).get(attribute.name)
            if default is None:
                continue
            value = onnx.helper.get_attribute_value(attribute)
            if value != default and not says_nothing(node, attribute.name, constants):
                raise ExportError(f"{name}: opset {OPSET} has no {node.op_type} with {attribute.name}")
            node.attribute.remove(attribute)
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    domains = {node.domain for node in model.graph.node} | {""}
    if domains - {"", "ai.onnx"}:
        raise ExportError(f"{name}: has operators of {', '.join(sorted(domains - {''}))}")
    del model.opset_import[:]
    model.opset_import.extend([onnx.helper.make_opsetid("", OPSET)])
    model.ir_version = IR
    del model.metadata_props[:]
    del model.functions[:]
    for part in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        # The exporting machine's paths, and a field that IR 7 does not know.
        del part.metadata_props[:]
    require(model, name)
    return model


def expanded(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """An operator that came with opset 14, as the definition that ONNX gives for it; others as they are."""
    if node.op_type != "HardSwish":
        return [node]
    gate = f"{node.output[0]}_gate"
    make = onnx.helper.make_node
    return [
        make("HardSigmoid", node.input, [gate], alpha=1 / 6, beta=0.5),
        make("Mul", [node.input[0], gate], node.output),
    ]


def says_nothing(node: onnx.NodeProto, name: str, constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether a value that is not the default changes nothing here."""
    if name == "allowzero":  # of a shape without zeros
        shape = constants.get(node.input[1])
        return shape is not None and bool(onnx.numpy_helper.to_array(shape).all())
    return name == "output_dtype" and len(node.input) > 2  # the zero point's type says it too


def require(model: onnx.ModelProto, name: str) -> None:
    """ExportError unless the model is valid, of opset 13 alone and of IR 8 at most."""
    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    if opsets != {"ai.onnx": OPSET} or model.ir_version > HIGHEST_IR:
        raise ExportError(
            f"{name}: has opsets {opsets} and IR {model.ir_version}, not opset {OPSET} and IR <= {HIGHEST_IR}"
        )
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # the checker's and the inference's own kinds
        raise ExportError(f"{name}: is not valid ONNX of opset {OPSET}: {error}") from error

"""PyTorch programs: int8 by torchao's PT2E, or a half-precision module. Inputs and outputs stay float32."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchao.quantization.pt2e.observer import MinMaxObserver
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as inductor

from models.exporters import pt2
from models.quantization import batches


class Half(torch.nn.Module):
    """A module computed in fp16 between float32 input and output."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner.half()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """As the inner module, rounded."""
        return self.inner(image.half()).float()


def half(source: Path, target: Path) -> None:
    """fp16 weights and arithmetic."""
    program = torch.export.load(source)
    pt2.export(Half(program.module(check_guards=False)), program.example_inputs[0][0], target)


def static(source: Path, target: Path, calibration: np.ndarray | None, reduce_range: bool) -> None:
    """uint8 activations and int8 weights with a scale per channel, as PyTorch's compiler fuses them.

    ``reduce_range``: activations of 7 bits, for x86 processors without VNNI.
    """
    program = torch.export.load(source)
    sample = program.example_inputs[0][0]
    module = program.module(check_guards=False)
    convolve(module)
    separate(module)
    tool = inductor.X86InductorQuantizer().set_global(min_max(reduce_range))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        prepared = prepare_pt2e(module, tool)
        for inputs in batches(calibration, len(sample)):
            prepared(torch.from_numpy(inputs))
        converted = convert_pt2e(prepared)
        drop_unused(converted)
        pt2.export(converted, sample, target)


def min_max(reduce_range: bool) -> Any:
    """torchao's configuration with the ranges that the other formats take, found ten times as fast."""
    config = inductor.get_default_x86_inductor_quantization_config(reduce_range=reduce_range)
    observer = MinMaxObserver.with_args(eps=2**-12)
    activation = replace(config.input_activation, observer_or_fake_quant_ctr=observer)
    return replace(config, input_activation=activation)


def drop_unused(module: torch.fx.GraphModule) -> None:
    """Delete the float weights that nothing computes with any more: a saved program would keep them."""
    used = {node.target for node in module.graph.nodes if node.op == "get_attr"}
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for name in tensors.keys() - used:
        path, _, leaf = name.rpartition(".")
        delattr(module.get_submodule(path), leaf)


def convolve(module: torch.fx.GraphModule) -> None:
    """Make batch normalisations that follow no convolution depthwise ones of 1x1, which compute the same.

    torchao folds the others, leaves these in float, and is very slow where any is left.
    """
    convolution = torch.ops.aten.conv2d.default
    for node in list(module.graph.nodes):
        if node.target != torch.ops.aten.batch_norm.default:
            continue
        source = node.args[0]
        if source.target == convolution and len(source.users) == 1:
            continue
        weight, bias, mean, variance = (tensor_of(module, given) for given in node.args[1:5])
        scale = weight / torch.sqrt(variance + node.args[7])
        names = f"{node.name}_scale", f"{node.name}_shift"
        for name, value in zip(names, (scale.reshape(-1, 1, 1, 1), bias - mean * scale), strict=True):
            module.register_buffer(name, value.detach().clone())
        with module.graph.inserting_before(node):
            given = (source, *(module.graph.get_attr(name) for name in names))
            made = module.graph.call_function(convolution, (*given, [1, 1], [0, 0], [1, 1], len(scale)))
        name, (path, _) = list(node.meta["nn_module_stack"].items())[-1]
        stack = {**node.meta["nn_module_stack"], name: (path, torch.nn.Conv2d)}
        made.meta = {"val": node.meta["val"], "nn_module_stack": stack}
        node.replace_all_uses_with(made)
        module.graph.erase_node(node)
    module.recompile()


def tensor_of(module: torch.fx.GraphModule, node: torch.fx.Node) -> torch.Tensor:
    """The parameter or buffer that a node of the graph stands for."""
    path, _, leaf = node.target.rpartition(".")
    return getattr(module.get_submodule(path), leaf)


def separate(module: torch.fx.GraphModule) -> None:
    """Let each call of a module that is used several times (one ReLU in a block) count as its own.

    torchao finds patterns by the module that an operator comes from, and gives up on one with two results.
    """
    for node in module.graph.nodes:
        stack = node.meta.get("nn_module_stack")
        if node.op == "call_function" and stack:
            name, (path, kind) = list(stack.items())[-1]
            node.meta["nn_module_stack"] = {**stack, name: (f"{path}@{node.name}", kind)}

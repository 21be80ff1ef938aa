"""Batch normalisation folded into the convolution before it, as every exporter would do later."""

from __future__ import annotations

import copy
from collections import Counter

import torch
from torch.fx import Graph, Tracer
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.errors import ExportError


def fold(model: torch.nn.Module) -> tuple[torch.nn.Module, list[str]]:
    """A copy in eval mode that computes the same, and the names of what could not be folded.

    A normalisation that does not directly follow a convolution, or whose convolution's output goes
    elsewhere too, stays: before a convolution there is usually a rectification between them.
    """
    folded = copy.deepcopy(model).eval()
    try:
        graph: Graph = Tracer().trace(folded)
    except Exception as error:  # whatever a model's forward does with a proxy
        raise ExportError(f"the network's graph cannot be traced: {error}") from error
    modules = dict(folded.named_modules())
    called = Counter(node.target for node in graph.nodes if node.op == "call_module")
    left = []
    for node in graph.nodes:
        if node.op != "call_module" or type(modules[node.target]) is not torch.nn.BatchNorm2d:
            continue
        source = node.args[0]
        alone = source.op == "call_module" and len(source.users) == 1
        if not (alone and type(modules[source.target]) is torch.nn.Conv2d and called[source.target] == 1):
            left.append(node.target)
            continue
        folded.set_submodule(source.target, fuse_conv_bn_eval(modules[source.target], modules[node.target]))
        folded.set_submodule(node.target, torch.nn.Identity())
    return folded, left

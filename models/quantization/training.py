"""Networks with fake quantization, made and converted by torchao's PT2E: one quantizer for each target.

PyTorch's compiler and ONNX Runtime take uint8 activations (X86InductorQuantizer), TFLite int8 (LiteRT
Torch's PT2EQuantizer). Weights are int8 with a scale per channel, straight-through gradients as in Jacob
et al., "Quantization and Training of Neural Networks" (2018, arXiv:1712.05877).
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from litert_torch.quantize import pt2e_quantizer as litert
from torch import nn
from torchao.quantization.pt2e import allow_exported_model_train_eval
from torchao.quantization.pt2e.fake_quantize import disable_observer
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as inductor

from models.folding import fold
from models.quantization.pt2 import drop_unused, separate

LINEAR = "torch.nn.modules.linear.Linear"  # as the nodes of an exported program name it


def unnormalized(model: nn.Module) -> nn.Module:
    """A copy whose batch normalisation is folded into convolutions, with the statistics it has.

    That is where fake quantization must see the weights, and what the files compute. One that follows no
    convolution becomes a depthwise one of 1x1, which can be quantized with a scale per channel too.
    """
    folded, left = fold(model)
    for name in left:
        norm = folded.get_submodule(name)
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        layer = nn.Conv2d(norm.num_features, norm.num_features, 1, groups=norm.num_features)
        layer.weight = nn.Parameter(scale.detach().reshape(-1, 1, 1, 1).clone())
        layer.bias = nn.Parameter((norm.bias - norm.running_mean * scale).detach().clone())
        folded.set_submodule(name, layer)
    return folded


def quantizer_of(target: str, reduce_range: bool) -> Any:
    """``tflite``, or anything else for PyTorch and ONNX; ``reduce_range`` as in fiq, for these."""
    if target == "tflite":
        tool = litert.PT2EQuantizer()
        # Patterns with batch normalisation, which is folded here; in litert-torch 0.10 they cannot be traced.
        tool.STATIC_QAT_ONLY_OPS = []
        # One scale for the weights of a linear layer, as in fiq.
        tool.set_module_type(LINEAR, litert.get_symmetric_quantization_config(is_qat=True))
        return tool.set_global(litert.get_symmetric_quantization_config(is_per_channel=True, is_qat=True))
    config = inductor.get_default_x86_inductor_quantization_config(is_qat=True, reduce_range=reduce_range)
    return inductor.X86InductorQuantizer().set_global(config)


def prepared(model: nn.Module, inputs: torch.Tensor, quantizer: Any) -> nn.Module:
    """A trainable graph with fake quantization, for any batch, from a network without normalisation.

    ``inputs``, two at least, give the first ranges.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dynamic = ({0: torch.export.Dim.DYNAMIC},)
        program = torch.export.export(model.train(), (inputs,), dynamic_shapes=dynamic)
        graph = program.module(check_guards=False)
        separate(graph)
        made = prepare_qat_pt2e(graph, quantizer)
        with torch.no_grad():
            made(inputs)
    allow_exported_model_train_eval(made)
    return made


def converted(trained: nn.Module, fold_weights: bool) -> nn.Module:
    """Real quantize and dequantize operators in place of the fake ones.

    ``fold_weights``: integers are stored; else float weights with both operators, as LiteRT Torch wants.
    """
    trained.eval()
    trained.apply(disable_observer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = convert_pt2e(trained, fold_quantize=fold_weights)
    allow_exported_model_train_eval(made)
    if fold_weights:
        drop_unused(made)
    return made

"""Files of networks that torchao converted."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import litert_torch
import onnx
import torch
from litert_torch.quantize.quant_config import QuantConfig

from models import opset
from models.arithmetic import onnx as arithmetic_of_onnx
from models.arithmetic import pt2 as arithmetic_of_pt2
from models.arithmetic import tflite as arithmetic_of_tflite
from models.exporters import pt2
from models.quantization import ends
from models.quantization.training import quantizer_of


def to(format_: str, module: torch.nn.Module, sample: torch.Tensor, path: Path) -> dict[str, Any]:
    """Write the file; facts as models/arithmetic says. ``sample``: NCHW, of the file's batch."""
    if format_ == "tflite":
        to_tflite(module, sample, path)
        return arithmetic_of_tflite.facts(path)
    if format_ == "pt2":
        pt2.export(module, sample, path)
        return arithmetic_of_pt2.facts(path)
    to_onnx(module, sample, path)
    return arithmetic_of_onnx.facts(path)


def to_onnx(module: torch.nn.Module, sample: torch.Tensor, path: Path) -> None:
    """Q/DQ with integer weights, brought to opset 13. The older exporter knows none of these operators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (sample,),
            dynamo=True,
            verbose=False,
            input_names=["input"],
            output_names=["logits"],
            external_data=False,
        )
    onnx.save(opset.lower(program.model_proto, path.name), path)


def to_tflite(module: torch.nn.Module, sample: torch.Tensor, path: Path) -> None:
    """int8 in NHWC, by LiteRT Torch."""
    channels_last = litert_torch.to_channel_last_io(copy.deepcopy(module), args=[0]).eval()
    nhwc = sample.permute(0, 2, 3, 1).contiguous()
    config = QuantConfig(pt2e_quantizer=quantizer_of("tflite", reduce_range=False))  # of its kind it reads
    litert_torch.convert(channels_last, (nhwc,), quant_config=config).export(str(path))
    ends.make_float(path)

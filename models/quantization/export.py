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
from models.exporters import pt2
from models.quantization import ends


def to_pt2(module: torch.nn.Module, sample: torch.Tensor, path: Path) -> None:
    """An exported program with integer weights."""
    pt2.export(module, sample, path)


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


def to_tflite(module: torch.nn.Module, quantizer: Any, sample: torch.Tensor, path: Path) -> None:
    """int8 in NHWC, by LiteRT Torch."""
    channels_last = litert_torch.to_channel_last_io(copy.deepcopy(module), args=[0]).eval()
    nhwc = sample.permute(0, 2, 3, 1).contiguous()
    config = QuantConfig(pt2e_quantizer=quantizer)
    litert_torch.convert(channels_last, (nhwc,), quant_config=config).export(str(path))
    ends.make_float(path)

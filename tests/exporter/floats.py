"""Float files of the bundled digits network, and how many held-out digits a file gets right."""

from __future__ import annotations

import tempfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import torch
from ai_edge_litert.tools import flatbuffer_utils
from digits_task import pretrained, tensors

from models import exporters
from models.arithmetic.tflite import KINDS

TOTAL = 360
AXES = {"NCHW": (0, 1, 2, 3), "NHWC": (0, 2, 3, 1)}


@cache
def float_file(format_: str) -> Path:
    """Of the network with its bundled weights, once a test session."""
    return exported(pretrained(), format_, Path(tempfile.mkdtemp(prefix="inferometer-test-")))


def exported(model: torch.nn.Module, format_: str, folder: Path) -> Path:
    """A network's float file, for one input."""
    exporter = exporters.module_of(format_)
    exporter.export(model, tensors()[2][:1], folder / exporter.FILE)
    return folder / exporter.FILE


def calibration(format_: str, count: int = 100) -> np.ndarray:
    """Training inputs in the format's layout."""
    layout = exporters.module_of(format_).LAYOUT
    return np.ascontiguousarray(tensors()[0][:count].numpy().transpose(AXES[layout]))


def outputs(path: Path, format_: str) -> np.ndarray:
    """Logits ``[360, 10]`` of the held-out digits, from the format's own runtime, which is fed float32."""
    exporter = exporters.module_of(format_)
    images = np.ascontiguousarray(tensors()[2].numpy().transpose(AXES[exporter.LAYOUT]))
    run = exporter.load(path)
    results = np.concatenate([run(image[None]) for image in images])
    assert results.dtype == np.float32
    return results


def right(path: Path, format_: str) -> int:
    """Held-out digits with their label's class."""
    return int((outputs(path, format_).argmax(1) == tensors()[3].numpy()).sum())


def deflated(path: Path) -> int:
    """Bytes of the file's zlib stream."""
    return len(zlib.compress(path.read_bytes(), 9))


def scales(path: Path, kind: str) -> list[int]:
    """How many scales the weights of each TFLite operator of a kind have."""
    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    codes = [KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
    chosen = [operator for operator in graph.operators if codes[operator.opcodeIndex] == kind]
    return sorted(len(graph.tensors[operator.inputs[1]].quantization.scale) for operator in chosen)

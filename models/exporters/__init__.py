"""One module a format, named as the format is; ``onnx-s8`` is ONNX quantised another way.

Each has ``LAYOUT`` (of its input), ``FILE``, ``PACKAGES`` (whose versions the manifest keeps),
``export(model, sample, path)``, which writes the file from a model in eval mode and one NCHW input
and returns what else the manifest should say, and ``load(path)``, which gives the file back as a
function from one input array to the logits, run by the format's own runtime.
"""

from __future__ import annotations

import importlib
from types import ModuleType

LAYOUTS = {"NCHW": (0, 1, 2, 3, 4), "NHWC": (0, 1, 3, 4, 2)}  # axes of stored inputs [K, B, C, H, W]


def module_of(format_: str) -> ModuleType:
    """The exporter of a format that the card parser let through."""
    return importlib.import_module(f"models.exporters.{source_of(format_)}")


def source_of(format_: str) -> str:
    """The float format that one is made of: ``onnx`` of ``onnx-s8``."""
    return format_.partition("-")[0]


def file_of(format_: str) -> str:
    """The name of a format's file: ``model.onnx``, ``model-s8.onnx``."""
    stem, dot, ending = module_of(format_).FILE.partition(".")
    _, dash, kind = format_.partition("-")
    return stem + dash + kind + dot + ending

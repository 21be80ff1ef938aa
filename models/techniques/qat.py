"""Quantization-aware training: the trained network learns for a few epochs with rounded numbers.

One training for TFLite and one for PyTorch and ONNX, because they round differently; each happens when the
first of its files is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

from models.task import Task

KIND = "training-export"
FORMATS = ("onnx", "tflite", "pt2")
DEFAULTS: dict[str, Any] = {
    "epochs": 5,
    "rate": 0.0005,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.0,
    "reduce_range": True,  # 7-bit activations in onnx and pt2: x86 without VNNI saturates with 8
}
SMOKE: dict[str, Any] = {"epochs": 1}

Write = Callable[..., dict[str, Any]]


def exports(
    model: torch.nn.Module, task: Task, settings: dict[str, Any], report: Callable[..., None]
) -> dict[str, Write]:
    """For each format a ``write(path, batch=1)``, which gives facts as models/arithmetic says."""
    from models.quantization import training

    count = min(settings["batch"], len(task.train_labels))
    inputs = torch.stack([task.train_inputs[index] for index in range(count)])

    @cache
    def trained(target: str) -> tuple[torch.nn.Module, Any, dict[str, Any]]:
        quantizer = training.quantizer_of(target, settings["reduce_range"])
        network = training.prepared(training.unnormalized(model), inputs, quantizer)
        history = task.trainer.fit(
            network,
            task,
            name=f"qat-{target}",
            **{name: settings[name] for name in ("epochs", "rate", "batch", "optimizer", "weight_decay")},
            identity=settings,
        )
        return training.converted(network, fold_weights=target != "tflite"), quantizer, history.facts()

    def write(format_: str) -> Write:
        def written(path: Path, batch: int = 1) -> dict[str, Any]:
            from models.quantization import export

            sample = inputs[:1].expand(batch, *inputs.shape[1:]).clone()
            if format_ == "tflite":
                from models.arithmetic import tflite as arithmetic

                network, quantizer, facts = trained("tflite")
                export.to_tflite(network, quantizer, sample, path)
            elif format_ == "pt2":
                from models.arithmetic import pt2 as arithmetic

                network, _, facts = trained("torch")
                export.to_pt2(network, sample, path)
            else:
                from models.arithmetic import onnx as arithmetic

                network, _, facts = trained("torch")
                export.to_onnx(network, sample, path)
            return {**arithmetic.facts(path), **facts}

        return written

    return {format_: write(format_) for format_ in FORMATS}

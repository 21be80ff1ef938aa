"""Quantization-aware training: the trained network learns for a few epochs with rounded numbers.

One training for TFLite and one for PyTorch and ONNX, because they round differently.
"""

from __future__ import annotations

from collections.abc import Callable
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
    "reduce_range": True,  # onnx, pt2: 7-bit activations; x86 without VNNI needs it
}
SMOKE: dict[str, Any] = {"epochs": 1}

Write = Callable[..., dict[str, Any]]


def exports(
    model: torch.nn.Module, task: Task, settings: dict[str, Any], report: Callable[..., None]
) -> dict[str, Write]:
    """Both trainings, then for each format a ``write(path, batch=1)``; facts as models/arithmetic says."""
    from models.quantization import training

    count = min(settings["batch"], len(task.train_labels))
    inputs = torch.stack([task.train_inputs[index] for index in range(count)])
    plain = training.unnormalized(model)

    def trained(target: str) -> tuple[torch.nn.Module, dict[str, Any]]:
        network = training.prepared(plain, inputs, training.quantizer_of(target, settings["reduce_range"]))
        history = task.trainer.fit(
            network,
            task,
            name=f"qat-{target}",
            **{name: settings[name] for name in ("epochs", "rate", "batch", "optimizer", "weight_decay")},
            identity=settings,
        )
        return training.converted(network, fold_weights=target != "tflite"), history.facts()

    networks = {target: trained(target) for target in ("torch", "tflite")}

    def write(format_: str) -> Write:
        network, history = networks["tflite" if format_ == "tflite" else "torch"]

        def written(path: Path, batch: int = 1) -> dict[str, Any]:
            from models.quantization import export

            sample = inputs[:1].expand(batch, *inputs.shape[1:]).clone()
            return {**export.to(format_, network, sample, path), **history}

        return written

    return {format_: write(format_) for format_ in FORMATS}

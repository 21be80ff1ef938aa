"""How many inputs a module classifies as their labels say."""

from __future__ import annotations

import torch

from models import batches
from models.batches import Inputs

BATCH = 256


def device() -> torch.device:
    """The GPU where torch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def logits(model: torch.nn.Module, inputs: Inputs, batch: int = BATCH) -> torch.Tensor:
    """``[N, classes]`` on the CPU; the model is put in eval mode and comes back to the CPU."""
    where = device()
    model.to(where).eval()
    order = list(torch.arange(len(inputs)).split(batch))
    with torch.inference_mode():
        outputs = torch.cat([model(images).cpu() for images in batches.load(inputs, order, where)])
    model.to("cpu")
    return outputs


def correct(model: torch.nn.Module, inputs: Inputs, labels: torch.Tensor, batch: int = BATCH) -> int:
    """The number of the N inputs whose highest logit is at their label."""
    return int((logits(model, inputs, batch).argmax(1) == labels).sum())


def accuracy(model: torch.nn.Module, inputs: Inputs, labels: torch.Tensor, batch: int = BATCH) -> float:
    """The share of them, 0 to 1."""
    return correct(model, inputs, labels, batch) / len(labels)

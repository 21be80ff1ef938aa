"""The batches of an epoch, from tensors in memory or from a data set that loads lazily."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset

Inputs = torch.Tensor | Dataset
WORKERS = 4  # at most: processes that load and decode while the model trains
LOOKED_AT = 16  # inputs of a lazy data set that its digest is made from


def plan(count: int, batch: int, generator: torch.Generator) -> list[torch.Tensor]:
    """One epoch's batches of indices in random order.

    All are full: what is left over waits for another epoch, so that batch normalisation never sees a
    batch of one. Fewer inputs than ``batch`` make one batch.
    """
    chunks = torch.randperm(count, generator=generator).split(batch)
    return [chunk for chunk in chunks if len(chunk) == min(batch, count)]


def load(inputs: Inputs, order: list[torch.Tensor], device: torch.device) -> Iterator[torch.Tensor]:
    """The inputs of each batch, ``[B, C, H, W]`` on the device."""
    if isinstance(inputs, torch.Tensor):
        for chosen in order:
            yield inputs[chosen.to(inputs.device)].to(device)
        return
    workers = min(WORKERS, len(os.sched_getaffinity(0)) - 1)
    indices = [chosen.tolist() for chosen in order]
    for images in DataLoader(inputs, batch_sampler=indices, num_workers=workers):
        yield images.to(device)


def resident(inputs: Inputs, device: torch.device) -> Inputs:
    """Tensors moved to the device once; a lazy data set as it is."""
    return inputs.to(device) if isinstance(inputs, torch.Tensor) else inputs


def digest(inputs: Inputs) -> str:
    """Of a tensor's content; of a lazy data set's length and a few of its inputs."""
    if not isinstance(inputs, torch.Tensor):
        count = len(inputs)
        chosen = range(0, count, max(1, count // LOOKED_AT))
        inputs = torch.stack([torch.as_tensor(inputs[index]) for index in chosen])
        return hashlib.sha256(f"{count} {digest(inputs)}".encode()).hexdigest()
    header = f"{inputs.dtype} {tuple(inputs.shape)} ".encode()
    content = inputs.detach().cpu().contiguous().flatten().view(torch.uint8)
    return hashlib.sha256(header + memoryview(content.numpy())).hexdigest()

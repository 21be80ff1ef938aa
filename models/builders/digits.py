"""A small real model: a convolutional network for scikit-learn's bundled 8x8 handwritten digits.

1797 images of the UCI "Optical Recognition of Handwritten Digits" test set (Alpaydin and Kaynak,
1998), grey values 0 to 16. One fifth, drawn by a fixed permutation and balanced only by chance, is
held out: it never takes part in training and is what the accuracy of every runtime is scored on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from models.builders.construction import construct
from models.card import Card
from models.errors import ExportError

HELD_OUT = 360
SPLIT_SEED = 1998
EPOCHS = 40
BATCH = 64
PEAK_LEARNING_RATE = 0.01
CALIBRATION_IMAGES = 200  # entropy calibration wants a hundred to some hundreds


class DigitsCnn(nn.Module):
    """Three 3x3 convolutions with batch normalisation, two poolings, one linear layer."""

    def __init__(
        self, classes: int, shape: tuple[int, int, int], widths: Sequence[int] = (16, 24, 32)
    ) -> None:
        """``widths``: channels of the three convolutions."""
        super().__init__()
        channels, height, width = shape
        first, second, third = widths
        self.features = nn.Sequential(
            *block(channels, first),
            *block(first, second),
            nn.MaxPool2d(2),
            *block(second, third),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Linear(third * (height // 4) * (width // 4), classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` of images ``[N, C, H, W]``."""
        return self.classifier(self.features(image))


def block(inputs: int, outputs: int) -> list[nn.Module]:
    """A convolution that keeps the size, normalised and rectified."""
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def build(name: str, classes: int, shape: tuple[int, int, int], **options: Any) -> nn.Module:
    """An untrained network; option ``widths``. Raises ExportError."""
    return construct("digits", {"DigitsCnn": DigitsCnn}, name, classes, shape, options)


def data(card: Card) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, held-out images and labels; images ``[N, 1, 8, 8]`` float32."""
    digits = load_digits()
    order = np.random.RandomState(SPLIT_SEED).permutation(len(digits.target))
    raw = digits.images[order, None].astype(np.float32) / card.input["maximum"]
    images = ((raw - card.input["mean"][0]) / card.input["std"][0]).astype(np.float32)
    labels = digits.target[order].astype(np.int64)
    return images[HELD_OUT:], labels[HELD_OUT:], images[:HELD_OUT], labels[:HELD_OUT]


def inputs(card: Card, batch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The held-out set in whole batches; the same whatever the seed, so that accuracies compare."""
    _, _, images, labels = data(card)
    count = len(labels) // batch
    if not count:
        raise ExportError(f"--batch {batch}: the held-out set has only {len(labels)} images")
    return (
        images[: count * batch].reshape(count, batch, *card.shape),
        labels[: count * batch].reshape(count, batch),
    )


def calibration(card: Card, batch: int) -> np.ndarray:
    """Images of the training set, ``[K, batch, 1, 8, 8]``; none is of the held-out set."""
    images, *_ = data(card)
    count = max(1, CALIBRATION_IMAGES // batch)
    return images[: count * batch].reshape(count, batch, *card.shape)


def train(card: Card, seed: int) -> tuple[nn.Module, float]:
    """Train from scratch in seconds; returns the network in eval mode and its held-out accuracy."""
    torch.manual_seed(seed)
    model = build(card.builder.partition(":")[2], card.classes, card.shape)
    images, labels, held_images, held_labels = (torch.from_numpy(part) for part in data(card))
    steps = EPOCHS * -(-len(labels) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=steps)
    model.train()
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            loss = nn.functional.cross_entropy(model(images[chosen]), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        correct = (model(held_images).argmax(1) == held_labels).sum().item()
    return model, correct / len(held_labels)

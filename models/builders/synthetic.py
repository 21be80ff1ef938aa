"""Inputs where no data set is at hand: smooth synthetic images, the same for one seed everywhere."""

from __future__ import annotations

import numpy as np

from models.card import Card

WAVES = 24
HIGHEST_FREQUENCY = 8.0  # waves over the image's side


def inputs(card: Card, batch: int, seed: int) -> tuple[np.ndarray, None]:
    """One tensor of smooth synthetic images, preprocessed as the card says; no labels."""
    generator = np.random.default_rng(seed)
    images = np.stack([synthetic(generator, *card.shape) for _ in range(batch)])
    mean, std = (np.array(card.input[name])[:, None, None] for name in ("mean", "std"))
    return ((images - mean) / std).astype(np.float32)[None], None


def calibration(card: Card, batch: int) -> None:
    """None: scales found on synthetic images would be no scales of photographs."""


def synthetic(generator: np.random.Generator, channels: int, height: int, width: int) -> np.ndarray:
    """``[C, H, W]`` from 0 to 1: random plane waves, the slow ones strong as in photographs."""
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    image = np.zeros((channels, height, width))
    for _ in range(WAVES):
        frequency = generator.uniform(0.5, HIGHEST_FREQUENCY)
        angle = generator.uniform(0, np.pi)
        phase = generator.uniform(0, 2 * np.pi, size=(channels, 1, 1)) * 0.2 + generator.uniform(0, 2 * np.pi)
        wave = 2 * np.pi * frequency * (np.cos(angle) * x + np.sin(angle) * y)
        image += np.sin(wave + phase) / frequency
    low, high = image.min(), image.max()
    return (image - low) / (high - low)

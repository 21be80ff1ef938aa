"""Random changes of training images that keep their class, as the data card names them."""

from __future__ import annotations

import torch

from models.errors import ExportError

NAMES = ("none", "crop", "flip", "crop-flip")
MARGIN = 8  # the border of a crop is an eighth of the side: 4 of 32 pixels


def require(name: str, where: str) -> None:
    """ExportError, naming ``where`` it stands, for a name that is not in NAMES."""
    if name not in NAMES:
        raise ExportError(f"{where}: augment: must be one of {', '.join(NAMES)}, not {name!r}")


def apply(name: str, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """``[N, C, H, W]`` changed, image by image at random; ``generator`` is on the CPU.

    As Zagoruyko and Komodakis (2016, arXiv:1605.07146, section 3) treat CIFAR: a crop of the image with
    a border filled by reflection, mirrored left to right half of the time.
    """
    if "crop" in name:
        images = crop(images, generator)
    if "flip" in name:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None].to(images.device), images.flip(-1), images)
    return images


def crop(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image moved by up to an eighth of its side in both directions."""
    count, channels, height, width = images.shape
    margins = [max(1, side // MARGIN) for side in (height, width)]
    padded = torch.nn.functional.pad(images, (margins[1], margins[1], margins[0], margins[0]), mode="reflect")
    corners = [torch.randint(2 * margin + 1, (count, 1), generator=generator) for margin in margins]
    rows, columns = (
        (corner + torch.arange(side)).to(images.device)
        for corner, side in zip(corners, (height, width), strict=True)
    )
    each = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[each, channel, rows[:, None, :, None], columns[:, None, None, :]]

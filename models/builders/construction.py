"""From a card's words to a network: the name and the options are checked against what a builder has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from models.errors import ExportError

# Each takes the classes, the shape [C, H, W] of one input and options by keyword, with defaults.
Networks = Mapping[str, Callable[..., nn.Module]]


def construct(
    module: str,
    networks: Networks,
    name: str,
    classes: int,
    shape: tuple[int, int, int],
    options: dict[str, Any],
) -> nn.Module:
    """Build ``networks[name]``; ExportError naming the card's field for an unknown name or option."""
    if name not in networks:
        raise ExportError(f"builder: {module} has no {name!r}, only {', '.join(sorted(networks))}")
    _, _, *known = inspect.signature(networks[name]).parameters
    for option in options:
        if option not in known:
            only = f", only {', '.join(known)}" if known else ""
            raise ExportError(f"options.{option}: {module}:{name} has no such option{only}")
    try:
        return networks[name](classes, shape, **options)
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ExportError(f"options: {module}:{name} cannot be built with {options}: {error}") from error


def initialise(model: nn.Module) -> None:
    """Convolutions as He et al. (2015, arXiv:1502.01852) draw them; normalisations begin neutral."""
    for part in model.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)

"""A GPU for what trains in a container: what a device's profile says of one, where the engine offers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orchestrator.catalog import Device

ARCH = "x86_64"
# Of PyPI's builds of torch the one for this processor is the one with CUDA, for any NVIDIA driver.
BUILD = {"TORCH_INDEX": "https://pypi.org/simple"}


def lend(
    devices: Iterable[Device], runtimes: Sequence[str], arch: str
) -> tuple[dict[str, str], dict[str, Any]]:
    """Build arguments of the exporter's image and what its container is created with; empty without a GPU.

    ``runtimes``: those that the engine offers; ``arch``: this machine's processor.
    """
    for device in devices if arch == ARCH else ():
        for item in device.accelerators.values() if device.arch == arch else ():
            if item.container.get("runtime") in runtimes:
                return dict(BUILD), dict(item.container)
    return {}, {}

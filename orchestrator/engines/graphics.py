"""A GPU for what trains in a container."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

NVIDIA = "nvidia"  # the container runtime that lends a container the host's GPUs


def lend(runtimes: Sequence[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Build arguments of the exporter's image and what its container is created with; empty without a GPU.

    ``runtimes``: those that the engine offers. Of PyPI's builds of torch the one for 64-bit x86 is the one
    with CUDA; the trainer takes what it sees.
    """
    if NVIDIA not in runtimes or os.uname().machine != "x86_64":
        return {}, {}
    environment = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    return {"TORCH_INDEX": "https://pypi.org/simple"}, {"runtime": NVIDIA, "environment": environment}

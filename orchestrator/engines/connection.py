"""The connection to the Docker Engine."""

from __future__ import annotations

import os
from typing import Any

from orchestrator.domain import InferometerError

LABEL = "org.inferometer.device"  # of every container of ours
DEFAULT_SOCKET = "unix:///var/run/docker.sock"


def connect(timeout_s: int = 60, address: str | None = None) -> Any:
    """A client of the Docker Engine at ``address``, else DOCKER_HOST, else the default socket.

    Raises InferometerError when none answers.
    """
    import docker
    import docker.errors

    try:
        if address:
            client = docker.DockerClient(base_url=address, timeout=timeout_s)
        else:
            client = docker.from_env(timeout=timeout_s)
        client.ping()
    except (docker.errors.DockerException, OSError) as problem:
        host = os.environ.get("DOCKER_HOST", "the default socket")
        raise InferometerError(
            f"no Docker Engine answers at {host} ({problem}); start it, or use ENGINE=process"
        ) from None
    return client

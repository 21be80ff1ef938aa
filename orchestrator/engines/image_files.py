"""Images carried as files, in the form of ``docker save``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.engines.connection import connect

_TIMEOUT_S = 3600  # an engine may say nothing while it packs or unpacks gigabytes


def require_engine(path: Path) -> None:
    """Raises InferometerError where no engine answers: a file of images is of no use without one."""
    try:
        connect().close()
    except InferometerError as problem:
        raise InferometerError(f"{path}: {str(problem).removesuffix(', or use ENGINE=process')}") from None


def holds(tag: str) -> bool:
    """Whether the engine has an image of this tag."""
    import docker.errors

    try:
        connect().images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def save(tag: str) -> Iterator[bytes]:
    """The image as the engine saves it, piece by piece. Raises InferometerError."""
    import docker.errors
    import requests

    try:
        yield from connect(_TIMEOUT_S).api.get_image(tag)
    except (docker.errors.DockerException, requests.RequestException) as problem:
        raise InferometerError(f"the engine could not save {tag}: {problem}") from None


def load(content: Iterable[bytes], saved_as: str, tag: str) -> None:
    """Load an image that was saved under one tag and give it the tag it has on this machine.

    Raises InferometerError with the engine's reason.
    """
    import docker.errors
    import requests

    client = connect(_TIMEOUT_S)
    try:
        client.images.load(iter(content))  # a list would be taken for form fields
        if saved_as != tag:  # made for another platform than the one it was made on
            client.images.get(saved_as).tag(tag)
            client.images.remove(saved_as)
    except (docker.errors.DockerException, requests.RequestException) as problem:
        reason = " ".join(str(getattr(problem, "explanation", None) or problem).split())
        raise InferometerError(
            f"the engine could not load {tag}: {reason}; free some space, or take Docker Engine 23 or newer"
        ) from None
    if not holds(tag):
        raise InferometerError(f"the engine loaded {saved_as}, but does not hold {tag}; load it again")

"""Which images of ours an engine holds, how large they are, and which no file leads to any more."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from orchestrator.engines import base_images, images
from orchestrator.engines.connection import connect

_INSTALLED = "/runner/installed-bytes"


def state(
    name: str,
    root: Path,
    platform: str | None = None,
    arguments: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Tag, digest and sizes of an image; ``None`` where it is not built.

    ``installed_bytes``: what pip installed for the framework before anything was trimmed; ``base_bytes``:
    the image that the last stage starts from.
    """
    reference = images.tag(name, root, platform, arguments)
    client = connect()
    found = images.inspect(client, reference)
    # Of a tag with several platforms the engine tells the size of its own.
    foreign = platform not in (None, base_images.native())
    base = (
        None
        if foreign
        else images.inspect(client, images.bases(images.dockerfile(name, root), arguments)[-1])
    )
    return {
        "tag": reference,
        "digest": found.digest if found else None,
        "bytes": found.bytes if found else None,
        "installed_bytes": _installed_bytes(client, reference) if found else None,
        "base_bytes": base.bytes if base else None,
    }


def _installed_bytes(client: Any, reference: str) -> int | None:
    import docker.errors

    with images.made(client, reference, images.platform_of(client.images.get(reference))) as container:
        try:
            chunks, _ = container.get_archive(_INSTALLED)
        except docker.errors.NotFound:
            return None  # an image that installs no framework
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            return int(member.read()) if member else None


def prune(root: Path, recipes: Mapping[str, Iterable[Mapping[str, str]]]) -> list[str]:
    """Remove images of ours that no present file leads to; their tags.

    ``recipes``: the sets of build arguments by runtime (or ``models``). Images that a container still uses
    stay.
    """
    import docker.errors

    platforms = (None, *base_images.PLATFORMS)
    kept = {
        images.tag(name, root, platform, arguments)
        for name, sets in recipes.items()
        for arguments in sets
        for platform in platforms
    }
    client = connect()
    removed = []
    for image in client.images.list(filters={"reference": f"{images.REPOSITORY}/*"}):
        for reference in image.tags:
            if reference in kept:
                continue
            try:
                client.images.remove(reference)
                removed.append(str(reference))
            except docker.errors.APIError:
                continue
    return removed

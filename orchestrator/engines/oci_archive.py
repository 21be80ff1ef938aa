"""One tar archive that `docker load` takes: several platforms' root file systems under one tag.

Source: OCI image-spec v1.1 (image layout, index, manifest, config). The ``manifest.json`` beside it
is Docker's older form, for engines without the containerd image store; it names one platform.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


def pack(roots: Mapping[str, Path], reference: str, native: str, path: Path) -> None:
    """Write ``path`` from root file systems (platform such as ``linux/amd64`` -> tar).

    ``reference`` is a short name with a tag (``debian:bookworm-slim``); ``native`` the platform that an
    engine able to hold only one gets.
    """
    with tarfile.open(path, "w") as archive:
        _add(archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        manifests, legacy = [], []
        for platform, root in sorted(roots.items()):
            layer = _add_file(archive, root)
            created = datetime.fromtimestamp(int(root.stat().st_mtime), timezone.utc).isoformat()
            os_name, architecture = platform.split("/")[:2]
            config = _add_blob(
                archive,
                {
                    "created": created,
                    "architecture": architecture,
                    "os": os_name,
                    "config": {"Env": ["PATH=" + _PATH], "Cmd": ["bash"]},
                    "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
                    "history": [{"created": created, "created_by": f"mmdebstrap {reference}"}],
                },
                _CONFIG,
            )
            manifest = _add_blob(
                archive,
                {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [layer]},
                _MANIFEST,
            )
            manifests.append({**manifest, "platform": {"os": os_name, "architecture": architecture}})
            if platform == native:
                legacy = [{"Config": _name(config), "RepoTags": [reference], "Layers": [_name(layer)]}]
        index = _add_blob(archive, {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}, _INDEX)
        index["annotations"] = {
            "io.containerd.image.name": f"docker.io/library/{reference}",
            "org.opencontainers.image.ref.name": reference.partition(":")[2],
        }
        top = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [index]}
        _add(archive, "index.json", json.dumps(top).encode())
        _add(archive, "manifest.json", json.dumps(legacy).encode())


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _name(descriptor: Mapping[str, Any]) -> str:
    return "blobs/sha256/" + str(descriptor["digest"]).removeprefix("sha256:")


def _descriptor(media_type: str, hexdigest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hexdigest}", "size": size}


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _add_blob(archive: tarfile.TarFile, content: Mapping[str, Any], media_type: str) -> dict[str, Any]:
    data = json.dumps(content).encode()
    descriptor = _descriptor(media_type, hashlib.sha256(data).hexdigest(), len(data))
    _add(archive, _name(descriptor), data)
    return descriptor


def _add_file(archive: tarfile.TarFile, path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
        descriptor = _descriptor(_LAYER, digest.hexdigest(), stream.tell())
        stream.seek(0)
        entry = tarfile.TarInfo(_name(descriptor))
        entry.size = descriptor["size"]
        archive.addfile(entry, stream)
    return descriptor

"""What runners read, on a board: volumes named by their content, filled once."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from orchestrator.engines.launch import Mount
from orchestrator.files import sha256_file

PREFIX = "inferometer-"
_DONE = ".complete"  # written last: without it an upload was cut off and is done again


def files_of(mount: Mount) -> list[Path]:
    """The files a mount needs, in order."""
    if mount.names:
        return [mount.source / name for name in sorted(mount.names)]
    return sorted(path for path in mount.source.rglob("*") if path.is_file())


def name_of(mount: Mount) -> str:
    """The volume's name: a hash of its files' names and contents."""
    digest = hashlib.sha256()
    for path in files_of(mount):
        digest.update(f"{path.relative_to(mount.source)}\0{sha256_file(path)}\n".encode())
    return PREFIX + digest.hexdigest()[:24]


def ensure(client: Any, name: str, mount: Mount, image: str, platform: str) -> bool:
    """Fill the volume unless it is full; whether it had to be. ``image``: any that the engine holds."""
    import docker.errors

    # Made, never started: the engine's archive calls reach a volume only through a container.
    container = client.containers.create(
        image, platform=platform, volumes={name: {"bind": "/data/volume", "mode": "rw"}}, network_mode="none"
    )
    try:
        try:
            container.get_archive(f"/data/volume/{_DONE}")
            return False
        except docker.errors.NotFound:
            pass
        with tempfile.TemporaryFile() as stream:
            with tarfile.open(fileobj=stream, mode="w") as archive:
                for path in files_of(mount):
                    archive.add(path, str(path.relative_to(mount.source)), filter=_readable)
            stream.seek(0)
            container.put_archive("/data/volume", stream)
        container.put_archive("/data/volume", _one_file(_DONE))
        return True
    finally:
        container.remove(force=True)


def fetch(container: Any, path: str, folder: Path) -> None:
    """Copy the files of a folder in a container, running or not, into ``folder``."""
    chunks, _ = container.get_archive(path)
    with tempfile.TemporaryFile() as stream:
        for chunk in chunks:
            stream.write(chunk)
        stream.seek(0)
        with tarfile.open(fileobj=stream) as archive:
            for member in archive:
                data = archive.extractfile(member)
                if data and "/" not in member.name.partition("/")[2]:
                    (folder / Path(member.name).name).write_bytes(data.read())


def make_writable(client: Any, name: str, image: str, platform: str) -> None:
    """A volume that a container's unprivileged user may write to."""
    container = client.containers.create(
        image, platform=platform, volumes={name: {"bind": "/data/volume", "mode": "rw"}}, network_mode="none"
    )
    try:
        container.put_archive("/data", _open_folder("volume"))
    finally:
        container.remove(force=True)


def _open_folder(name: str) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o777
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(entry)
    return stream.getvalue()


def _one_file(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


def _readable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644  # the runner's container is another user
    return entry

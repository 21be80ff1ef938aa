"""What runners read, on a board: volumes named by their content, filled once."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Carrier:
    """A container that is made and never started: the engine's archive calls reach a volume only so.

    ``image``: any that the engine holds. Name and labels lead to one that an interrupt left.
    """

    client: Any
    volume: str
    image: str
    platform: str
    labels: Mapping[str, str]

    @contextmanager
    def made(self) -> Iterator[Any]:
        """The container, with the volume at ``/data/volume``."""
        import docker.errors

        name = f"{self.volume}-carrier"
        with suppress(docker.errors.NotFound):
            self.client.containers.get(name).remove(force=True)
        try:
            yield self.client.containers.create(
                self.image,
                name=name,
                labels=dict(self.labels),
                platform=self.platform,
                volumes={self.volume: {"bind": "/data/volume", "mode": "rw"}},
                network_mode="none",
            )
        finally:
            with suppress(docker.errors.NotFound):
                self.client.containers.get(name).remove(force=True)


def ensure(carrier: Carrier, mount: Mount) -> bool:
    """Fill the volume unless it is full; whether it had to be."""
    import docker.errors

    with carrier.made() as container:
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


def make_writable(carrier: Carrier) -> None:
    """Let a container's unprivileged user write to the volume."""
    with carrier.made() as container:
        container.put_archive("/data", _open_folder("volume"))


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

"""The archive: what is in it, in words before it is written, and as a file that is the same for the same."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic
from orchestrator.probe.anonymity import STAND_INS
from orchestrator.probe.listing import listing

SCHEMA = 1


@dataclass(frozen=True)
class Archive:
    """``contents``: every file by its path, without the manifest; ``replaced``: how often, by kind.

    ``kept``: names that were not replaced, as they are words of systems and sensors.
    """

    device: str
    contents: Mapping[str, bytes]
    replaced: Mapping[str, int]
    kept: tuple[str, ...] = ()

    def listing(self) -> list[str]:
        """What goes in, and what was taken out: see :mod:`orchestrator.probe.listing`."""
        return listing(self.contents, self.replaced, self.kept)

    def manifest(self) -> bytes:
        """SHA-256 of every file, and what stands for what was taken out."""
        document = {
            "schema": SCHEMA,
            "device": self.device,
            "replaced": {
                kind: {"with": stand_in, "times": self.replaced.get(kind, 0)}
                for kind, stand_in in STAND_INS.items()
            },
            "files": {path: hashlib.sha256(data).hexdigest() for path, data in sorted(self.contents.items())},
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def destination(out: Path | None, device: str) -> Path:
    """``out``, else ``inferometer-probe-DEVICE-DATE.tar.gz`` here. Raises InferometerError."""
    path = out or Path(f"inferometer-probe-{device}-{datetime.date.today():%Y%m%d}.tar.gz")
    if path.is_dir() or not path.parent.is_dir():
        raise InferometerError(f"{path}: no file can be there; name one in a folder that exists with --out")
    if path.exists() or path.is_symlink():
        raise InferometerError(f"{path} is there already; choose another with --out, or delete it")
    return path


def save(archive: Archive, path: Path) -> None:
    """Write it, whole or not at all. Raises OSError."""
    stream = io.BytesIO()
    # No time, owner or name of this machine in the headers either.
    with (
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name, data in [("manifest.json", archive.manifest()), *sorted(archive.contents.items())]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    write_atomic(path, stream.getvalue())

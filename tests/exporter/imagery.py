"""Small files in exactly the formats that data sets come in."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.datasets.card import DataCard

IMAGE = {"shape": [3, 8, 8], "maximum": 255, "mean": [0.0] * 3, "std": [1.0] * 3}


def card(loader: str, classes: int, split: dict[str, Any] | None = None, **table: Any) -> DataCard:
    """A data card without its file."""
    wanted = {**IMAGE, **table}
    return DataCard(
        path=Path("models/data/some.toml"),
        id="some",
        title="Some",
        loader=loader,
        classes=classes,
        licence="",
        citation="",
        input=wanted,
        shape=tuple(wanted["shape"]),
        split=split or {},
        augment="none",
        score=1000,
        calibration=200,
    )


def jpeg(seed: int, size: tuple[int, int] = (12, 10), mode: str = "RGB", kind: str = "JPEG") -> bytes:
    """An image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, kind)
    return stream.getvalue()


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """The same files as a ZIP archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Mapping[str, bytes]) -> Path:
    """The same files as a .tar.gz archive."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def records(labels: list[int], seed: int = 0, coarse: bool = False) -> bytes:
    """CIFAR records with these labels, CIFAR-100's with a coarse label before each."""
    generator = np.random.default_rng(seed)
    return b"".join(
        (b"\x07" if coarse else b"") + bytes([label]) + generator.integers(0, 256, 3072, np.uint8).tobytes()
        for label in labels
    )

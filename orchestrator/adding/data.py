"""The user's inputs for a model of theirs: an ``.npz``, pictures, or a folder with a folder of each class."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.adding.spec import Spec
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
# Every launch shows all of them to the model after its window: enough for one point of accuracy.
MOST_INPUTS = 1000
MOST_BYTES = 256 * 2**20  # of one file of float32 tensors


@dataclass(frozen=True)
class Data:
    """What a user gave: ``items`` ``[N, ...]`` as it stands or its pictures' paths; ``labels`` ``[N]``.

    ``sha256`` is that of the ``.npz``, or over the names and contents of the pictures.
    """

    path: Path
    sha256: str
    items: np.ndarray[Any, Any] | tuple[Path, ...]
    labels: np.ndarray[Any, Any] | None

    @property
    def is_pictures(self) -> bool:
        """Whether they have to be brought to the model's size."""
        return isinstance(self.items, tuple)


def read(path: Path, labels: Path | None) -> Data:
    """What lies at a path. Raises InferometerError naming file and field."""
    if path.is_dir():
        found = _folder(path, labels)
    elif path.suffix.lower() == ".npz":
        found = _npz(path, labels)
    elif path.suffix.lower() in PICTURES and path.is_file():
        found = Data(path, sha256_file(path), (path,), None if labels is None else _labels(labels))
    else:
        raise InferometerError(
            f"{path}: --data takes an .npz with `inputs` and `labels`, a picture, or a folder of pictures"
            + ("" if path.exists() else "; there is no such file")
        )
    count = len(found.items)
    if count == 0:
        raise InferometerError(f"{path}: holds no inputs")
    if found.labels is not None and len(found.labels) != count:
        raise InferometerError(f"{labels or path}: holds {len(found.labels)} labels for {count} inputs")
    return found


def chosen(data: Data, spec: Spec) -> np.ndarray[Any, Any]:
    """Indices of what is shown to the model: all, or as many as fit, evenly spread."""
    # As many for every type: the files of one model are shown the same.
    count, item_bytes = len(data.items), int(np.prod(spec.item)) * 4
    most = max(spec.batch, min(MOST_INPUTS, MOST_BYTES // item_bytes))
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def pixels(path: Path, spec: Spec) -> np.ndarray[Any, Any]:
    """One picture as uint8 ``[height, width, channels]`` of the model, resized as in ``bench``."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            mode = "L" if spec.channels == 1 else "RGB"
            sized = image.convert(mode).resize(spec.size, Image.Resampling.BILINEAR)
            return np.asarray(sized, dtype=np.uint8).reshape(*reversed(spec.size), spec.channels)
    # Pillow's decoders raise all of these for a damaged file.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as problem:
        raise InferometerError(f"{path}: no readable picture ({problem})") from None


def _npz(path: Path, labels: Path | None) -> Data:
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream):
            stream.seek(0)
            archive = np.load(stream, allow_pickle=False)
            arrays = {name: archive[name] for name in ("inputs", "labels") if name in archive.files}
    # What zipfile, zlib and numpy raise for damaged files.
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, NotImplementedError) as problem:
        what = getattr(problem, "strerror", None) or " ".join(str(problem).split())
        raise InferometerError(f"{path}: no readable .npz ({what:.200})") from None
    if "inputs" not in arrays or arrays["inputs"].ndim < 2:
        raise InferometerError(f"{path}: has no array `inputs` of shape [N, ...]; save it with numpy.savez")
    if labels is not None:
        if "labels" in arrays:
            raise InferometerError(f"{path}: holds labels itself; leave --labels out")
        return Data(path, sha256_file(path), arrays["inputs"], _labels(labels))
    found = arrays.get("labels")
    if found is not None and (found.ndim != 1 or found.dtype.kind not in "iu" or np.any(found < 0)):
        raise InferometerError(f"{path}: `labels` must be class numbers from 0, one for each input")
    return Data(path, sha256_file(path), arrays["inputs"], None if found is None else found.astype(np.int64))


def _labels(path: Path) -> np.ndarray[Any, Any]:
    try:
        words = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as problem:
        what = getattr(problem, "strerror", None) or "no text"
        raise InferometerError(f"{path}: cannot be read: {what}") from None
    wrong = next(
        (word for word in words if not (word.isdecimal() and word.isascii() and len(word) < 10)), None
    )
    if wrong is not None:
        raise InferometerError(f"{path}: {wrong!r:.40} is no class number; write one a line, from 0")
    return np.array([int(word) for word in words], dtype=np.int64)


def _folder(path: Path, labels: Path | None) -> Data:
    classes = sorted(item for item in path.iterdir() if item.is_dir() and not item.name.startswith("."))
    if labels is None and classes:
        found = [(file, number) for number, folder in enumerate(classes) for file in _pictures(folder)]
        numbers = np.array([number for _, number in found], dtype=np.int64)
        return _of_pictures(path, [file for file, _ in found], numbers)
    return _of_pictures(path, _pictures(path), None if labels is None else _labels(labels))


def _of_pictures(path: Path, files: Sequence[Path], labels: np.ndarray[Any, Any] | None) -> Data:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path)}\0{sha256_file(file)}\n".encode("utf-8", "surrogateescape"))
    return Data(path, digest.hexdigest(), tuple(files), labels)


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES and file.is_file())

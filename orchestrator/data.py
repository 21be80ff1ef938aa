"""Where data sets lie: in ``DATA_DIR``, in the cache, or on the network once.

``DATA_DIR/<id>`` is a folder, and ``DATA_DIR/<file>`` an archive as it was downloaded, of a data set that has
a card. Any other folder, ``NAME.zip`` or ``NAME.npz`` there is somebody's own data with the id NAME.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.catalog import Catalog, DataCard, DataFile
from orchestrator.domain import InferometerError
from orchestrator.downloads import Wanted, download, hash_of
from orchestrator.plan import known

Progress = Callable[[str], None]
OWN_SUFFIXES = (".npz", ".zip")
UNVERIFIED = "unverified: the publisher gives no SHA-256"


def data_dir(environ: Mapping[str, str] = os.environ) -> Path | None:
    """``$DATA_DIR``, or None where it is not set."""
    value = environ.get("DATA_DIR")
    return Path(value).expanduser().absolute() if value else None


def ids(root: Path, folder: Path | None) -> list[str]:
    """Every data id that can be named: the cards', then those of somebody's own data in DATA_DIR."""
    cards = Catalog(root).data()
    return [*cards, *sorted(set(_own(folder, cards)))]


def fetch(
    root: Path, cache: Path, data_id: str, folder: Path | None, progress: Progress
) -> tuple[Path | None, str | None]:
    """(folder or file, None), (None, None) for bundled data, or (None, why not and where to put which file).

    ``folder`` is DATA_DIR. Raises InferometerError for an id that is not known and for a file that is not
    what its card says.
    """
    cards = Catalog(root).data()
    own = _own(folder, cards)
    known("data", [data_id], [*cards, *own])
    card = cards.get(data_id)
    if card is None:
        return own[data_id], None
    if card.bundled:
        return None, None
    found = lies_at(cache, card, folder)
    if found is not None:
        for file in card.files:
            _verify(card, file, found if found.name == file.name else found / file.name)
        return found, None
    place = folder / card.id if folder else cache / "data" / card.id
    get = f"get it at {card.homepage} and put it into {place} ({card.expects})"
    if not card.files:
        return None, f"{card.id} is not to be had without an account: {get}"
    target = cache / "data" / card.id
    for file in card.files:
        reason = _download(card, file, target / file.name, progress)
        if reason:
            return None, f"{file.name} cannot be downloaded ({reason}); {get}"
    return target, None


def lies_at(cache: Path, card: DataCard, folder: Path | None) -> Path | None:
    """The folder or archive of a card's data where it is here already; DATA_DIR goes before the cache."""
    if folder is not None:
        names = [card.id, f"{card.id}.zip", *(file.name for file in card.files)]
        candidates = [folder / name for name in names]
        for path in candidates:
            if path.is_file() or _is_filled(path):
                return path
    target = cache / "data" / card.id
    names = [file.name for file in card.files]
    if names and all((target / name).exists() for name in names):
        return target
    # What somebody unpacked there by hand.
    others = {path.name for path in target.glob("*")} - {f"{name}{end}" for name in names for end in _BESIDE}
    return target if others else None


def stamp(path: Path) -> str:
    """Changes when data is added, removed or replaced: of names, sizes and times, not of the content.

    Of folders it looks at what their own entry says, not at every picture (ImageNet has 1.3 million): one
    that is overwritten in place goes unnoticed.
    """
    digest = hashlib.sha256()

    def add(item: Path, *more: int) -> None:
        digest.update(f"{item.relative_to(path.parent)} {more} {item.stat().st_mtime_ns}\n".encode())

    if path.is_file():
        add(path, path.stat().st_size)
        return digest.hexdigest()
    for where, folders, files in os.walk(path, followlinks=True):
        folders.sort()
        add(Path(where), len(files))
        for name in sorted(files) if where == str(path) else ():
            add(path / name, (path / name).stat().st_size)
    return digest.hexdigest()


_BESIDE = (".part", ".part.version", ".sha256")


def _own(folder: Path | None, cards: Mapping[str, DataCard]) -> dict[str, Path]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise InferometerError(f"DATA_DIR: {folder} is no folder; make it or name another")
    archives = {file.name for card in cards.values() for file in card.files}
    found = {}
    for path in sorted(folder.iterdir()):
        name = path.name if path.is_dir() else path.stem
        usable = _is_filled(path) or (path.suffix in OWN_SUFFIXES and path.name not in archives)
        if usable and name not in cards and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            found[name] = path
    return found


def _is_filled(path: Path) -> bool:
    return path.is_dir() and any(path.iterdir())


def _wanted(file: DataFile) -> Wanted:
    return Wanted(file.url, file.sha256, file.md5, file.bytes)


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _download(card: DataCard, file: DataFile, path: Path, progress: Progress) -> str | None:
    size = f" ({file.bytes / 1e6:.3g} MB)" if file.bytes else ""
    progress(f"downloading {file.name}{size}; licence: {card.licence}")
    reason = download(_wanted(file), path, progress)
    if reason is None and not _wanted(file).verifiable:
        sha256 = hash_of(path, "sha256")
        _record(path).write_text(f"{sha256}  {file.name}\n", "utf-8")
        progress(f"  {file.name}: {UNVERIFIED}; it is {sha256}")
    return reason


def _verify(card: DataCard, file: DataFile, path: Path) -> None:
    if not path.is_file():
        return  # unpacked: its loader looks at every record
    fault, record = _wanted(file).fault(path), _record(path)
    recorded = record.read_text("utf-8").split()[:1] if record.exists() else []
    if not fault and not _wanted(file).verifiable and recorded and recorded[0] != hash_of(path, "sha256"):
        fault = f"it is no longer what was downloaded (see {record.name})"
    if fault:
        raise InferometerError(f"{path}: {fault}; delete it, and it is downloaded again ({card.path})")

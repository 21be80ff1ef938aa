"""``manifest.json``: path, size and SHA-256 of every file of a finished results folder, and a seal on itself.

The manifest has one rendering only, and ``seal`` is the SHA-256 of that rendering without the field: so a
change of any byte in the folder shows, in the manifest too. ``data_sha256`` names the raw data alone, which
no command writes again; a citation quotes it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orchestrator
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file, write_atomic
from orchestrator.migrations import SCHEMA
from orchestrator.store import SUMMARY, rendered

NAME = "manifest.json"
SINCE = 2  # the schema from which on every finished folder has a manifest
CITATION, CURVE = "CITATION.cff", "curve.svg"
# Made from the other files by commands that come after a bench: a file, or a folder of files.
LATER = (CITATION, CURVE, "report")

Step = Callable[[int], None]  # told how many bytes were read


@dataclass(frozen=True)
class Entry:
    """One file; ``path`` is relative to the folder, with slashes."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a manifest says. ``suite``: the version that wrote it."""

    entries: tuple[Entry, ...]
    suite: str = orchestrator.__version__
    schema: int = SCHEMA

    def to_bytes(self) -> bytes:
        """The only rendering."""
        entries = sorted(self.entries, key=lambda entry: entry.path)
        content = {
            "schema": self.schema,
            "suite": self.suite,
            "data_sha256": data_sha256(entries),
            "files": [asdict(entry) for entry in entries],
        }
        return rendered({**content, "seal": hashlib.sha256(rendered(content)).hexdigest()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """The inverse of :meth:`to_bytes`. Raises ValueError for anything that is not its rendering."""
        content = json.loads(data)
        try:
            schema = content["schema"]
            made = cls(tuple(Entry(**item) for item in content["files"]), content["suite"], schema)
            if type(schema) is int and schema > SCHEMA:
                raise ValueError(f"field schema is {schema}, this version reads up to {SCHEMA}")
            again = made.to_bytes()
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"a field is missing or of another kind ({problem!r})") from None
        if again != data:
            raise ValueError("it is not as it was written: its own seal does not fit")
        return made


def is_later(path: str) -> bool:
    """Whether a path of the folder is one that commands write again after a bench."""
    return path.split("/")[0] in LATER


def data_sha256(entries: Sequence[Entry]) -> str:
    """SHA-256 of the entries of all files that nothing else is computed into: raw data, plan and machine."""
    raw = [asdict(entry) for entry in entries if entry.path != SUMMARY and not is_later(entry.path)]
    raw.sort(key=lambda entry: entry["path"])
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every name below the folder that is no folder, but the manifest's: sorted by its path."""
    found = []
    for base, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        found += [Path(base) / name for name in (*names, *links)]
    relative = sorted((path.relative_to(folder).as_posix(), path) for path in found)
    yield from (item for item in relative if item[0] != NAME)


def entry_of(name: str, path: Path, step: Step = lambda count: None) -> Entry:
    """The entry of a file. Raises InferometerError for what is none or cannot be read."""
    if path.is_symlink() or not path.is_file():
        raise InferometerError(
            f"{path}: no regular file; replace it by a copy of what it stands for, or remove it"
        )
    try:
        found = Entry(name, path.stat().st_size, sha256_file(path))
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None
    step(found.bytes)
    return found


def read(folder: Path) -> Manifest | None:
    """The folder's manifest, or None. Raises InferometerError for a damaged one."""
    path = folder / NAME
    try:
        return Manifest.from_bytes(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise InferometerError(f"{path}: damaged: {problem}; restore it from a copy") from None


def described(name: str, data: bytes) -> Entry:
    """The entry of a file that is about to be written."""
    return Entry(name, len(data), hashlib.sha256(data).hexdigest())


def listing(folder: Path, without: tuple[str, ...] = ()) -> tuple[Entry, ...]:
    """The entries of all files but those of the paths ``without``. Raises as :func:`entry_of`."""
    return tuple(entry_of(name, path) for name, path in files(folder) if name not in without)


def write(folder: Path, entries: tuple[Entry, ...]) -> None:
    """Replace the folder's manifest."""
    write_atomic(folder / NAME, Manifest(entries).to_bytes())


def refresh(folder: Path) -> None:
    """Take in what commands wrote after the bench; nothing where there is no manifest.

    The entries of all other files stay as they are: damage is never signed.
    """
    before = read(folder)
    if before is None:
        return
    kept = [entry for entry in before.entries if not is_later(entry.path)]
    later = [entry_of(name, path) for name, path in files(folder) if is_later(name)]
    write(folder, (*kept, *later))

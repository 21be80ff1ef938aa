"""The files below a folder, or in a ZIP archive as it was downloaded: the loaders see no difference."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from models.errors import ExportError


class Tree(Protocol):
    """``names`` are the files, ``folders`` the folders, relative with ``/``, sorted, none hidden."""

    path: Path
    names: list[str]
    folders: list[str]

    def read(self, name: str) -> bytes: ...

    def size(self, name: str) -> int: ...


def open_tree(path: Path) -> Tree:
    """A folder's, a ZIP archive's, or that of the one archive in a folder; ExportError where unreadable."""
    if path.is_dir():
        archives = [entry for entry in path.iterdir() if entry.suffix == ".zip"]
        if len(archives) == 1 and not any(entry.is_dir() for entry in path.iterdir() if shown(entry.name)):
            return Archive(archives[0])
        return Folder(path)
    if path.suffix == ".zip":
        return Archive(path)
    raise ExportError(f"{path}: is neither a folder nor a .zip archive")


def shown(name: str) -> bool:
    """False for what operating systems leave behind."""
    return not name.startswith(".") and name != "__MACOSX"


class Folder:
    """Files on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names, self.folders = [], []
        # Class folders are often links into a larger collection.
        for where, folders, files in os.walk(path, followlinks=True):
            folders[:] = [name for name in folders if shown(name)]
            below = Path(where).relative_to(path)
            self.folders += [(below / name).as_posix() for name in folders]
            self.names += [(below / name).as_posix() for name in files if shown(name)]
        self.names.sort()
        self.folders.sort()

    def read(self, name: str) -> bytes:
        """The content of a file; ExportError where it cannot be read."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise ExportError(f"{self.path / name}: cannot be read: {error.strerror}") from error

    def size(self, name: str) -> int:
        """Bytes."""
        return (self.path / name).stat().st_size


class Archive:
    """Members of a ZIP archive, their checksums checked as they are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ExportError(f"{path}: is no whole ZIP archive ({error}); get it anew") from error
        entries = [item for item in self._file.namelist() if all(map(shown, item.split("/")))]
        self.names = sorted(name for name in entries if not name.endswith("/"))
        parents = {str(parent) for name in self.names for parent in Path(name).parents}
        self.folders = sorted(
            (parents | {name.rstrip("/") for name in entries if name.endswith("/")}) - {"."}
        )

    def read(self, name: str) -> bytes:
        """The content of a member; ExportError where it is broken."""
        try:
            return self._file.read(name)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
            raise ExportError(
                f"{self.path}: {name}: cannot be read: {error}; get the archive anew"
            ) from error

    def size(self, name: str) -> int:
        """Bytes when unpacked."""
        return self._file.getinfo(name).file_size


def below(tree: Tree, *markers: str) -> str:
    """The prefix under which one of the markers lies; archives wrap everything in one folder or two."""
    prefix = ""
    while not any(
        f"{prefix}{marker}" in entries for marker in markers for entries in (tree.names, tree.folders)
    ):
        tops = {name[len(prefix) :].split("/")[0] for name in tree.folders if name.startswith(prefix)} - {""}
        if len(tops) != 1:
            return ""
        prefix += f"{tops.pop()}/"
    return prefix

"""The suite inside a bundle: the checkout's files, and whether a board's suite is the same."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import orchestrator
from orchestrator.bundle.manifest import Suite
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

FOLDER = "inferometer"
# What decides over figures: new files in these go along even before they are committed.
_DECIDING = ("orchestrator", "runners", "models", "Dockerfiles")


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, errors="surrogateescape"
        )
    except OSError as problem:
        raise InferometerError(f"git: {problem.strerror}; a bundle is made from a git checkout") from None
    if done.returncode:
        cause = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        raise InferometerError(f"{root}: {cause}; a bundle is made from a git checkout")
    return done.stdout


def describe(root: Path) -> Suite:
    """The suite as it stands in the checkout. Raises InferometerError where there is no checkout."""
    if Path(_git(root, "rev-parse", "--show-toplevel").strip()).resolve() != root.resolve():
        raise InferometerError(f"{root} is no git checkout; a bundle is made from one")
    listed = _git(root, "ls-files", "-z") + _git(
        root, "ls-files", "-z", "--others", "--exclude-standard", "--", *_DECIDING
    )
    names = sorted({name for name in listed.split("\0") if name and (root / name).is_file()})
    for name in names:
        if not name.isprintable():
            raise InferometerError(f"{root}: {name!r} is no name for a file in a bundle; rename it")
        if (root / name).is_symlink():
            raise InferometerError(f"{root / name} is a link; a bundle holds files only")
    return Suite(
        orchestrator.__version__,
        _git(root, "rev-parse", "HEAD").strip(),
        bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
        or bool(_git(root, "ls-files", "--others", "--exclude-standard", "--", *_DECIDING)),
        {name: sha256_file(root / name) for name in names},
    )


def write_tar(root: Path, names: Sequence[str], stream: BinaryIO) -> None:
    """The files below ``inferometer/``, equal bytes for equal content."""
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(names):
            data = (root / name).read_bytes()
            info = tarfile.TarInfo(f"{FOLDER}/{name}")
            info.size, info.mode = len(data), 0o755 if os.access(root / name, os.X_OK) else 0o644
            archive.addfile(info, io.BytesIO(data))


def difference(root: Path, files: Mapping[str, str]) -> str | None:
    """The first file that decides over figures and is not the bundle's, or None. Files beside do no harm."""
    for name, sha256 in sorted(files.items()):
        if name.split("/")[0] not in _DECIDING and not name.endswith(".lock"):
            continue
        try:
            if sha256_file(root / name) != sha256:
                return name
        except OSError:
            return name
    return None

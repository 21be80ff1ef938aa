"""Results folders joined into one comparison's file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator import merge
from orchestrator.domain import InferometerError
from orchestrator.files import sync_folder
from orchestrator.report.document import load


def merge_folders(folders: Sequence[Path], out: Path) -> int:
    """Join runs into one comparison file; nothing is written when they contradict each other.

    Raises InferometerError naming every conflict, a folder that cannot be read among them.
    """
    _check_out(out)
    documents = ((str(folder), _summary(folder)) for folder in folders)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            total = merge.join(documents, stream.write)
        os.chmod(name, 0o644)
        os.replace(name, out)
    except BaseException:
        os.unlink(name)
        raise
    sync_folder(out.parent)
    return total


def _check_out(out: Path) -> None:
    """Refuse a place where a comparison cannot lie, or where something else lies."""
    if not out.parent.is_dir():
        raise InferometerError(f"{out}: --out names a folder that is not there; make it, or choose another")
    if out.exists():
        try:
            replaceable = "runs" in load(out)
        except InferometerError:
            replaceable = False
        if out.is_dir() or not replaceable:
            raise InferometerError(f"{out}: --out would replace something else; choose another name")


def _summary(folder: Path) -> dict[str, Any] | InferometerError:
    """A folder's stored summary where there is one: merging needs no raw data. Else why it cannot be read."""
    path = folder / "summary.json"
    try:
        return merge.read_document(str(path), path.read_bytes()) if path.exists() else load(folder)
    except InferometerError as problem:
        return problem

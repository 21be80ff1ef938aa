"""A finished folder's citation, printed or written with the names of those who measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic
from orchestrator.merge import read_document
from orchestrator.store import SUMMARY, Run
from orchestrator.verify import citation, manifest


def cite(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """``{authors, bibtex, text, data_sha256}``; ``names`` replace the authors in ``CITATION.cff``.

    Raises InferometerError for what is no finished run, for a name that cannot be one, and where a folder
    without a manifest would have to take one in.
    """
    Run.open(folder)
    path = folder / SUMMARY
    if not path.exists():
        raise InferometerError(f"{folder}: the run is unfinished; give its bench command again to end it")
    document = read_document(str(path), path.read_bytes())
    known = citation.of_folder(folder)
    if names:
        _write(folder, citation.render(document, known, _checked(names)))
    authors = citation.authors(folder)
    return {
        "authors": authors,
        "bibtex": citation.bibtex(document, known, authors),
        "text": citation.sentence(document, known, authors),
        "data_sha256": known.data_sha256,
    }


def _write(folder: Path, content: bytes) -> None:
    if manifest.read(folder) is None:
        raise InferometerError(f"{folder} has no manifest; first `inferometer verify --seal {folder}`")
    write_atomic(folder / manifest.CITATION, content)
    manifest.refresh(folder)


def _checked(names: Sequence[str]) -> list[str]:
    clean = list(dict.fromkeys(" ".join(name.split()) for name in names))
    for name in clean:
        if not name.strip(", ") or not name.isprintable() or name == citation.NOBODY:
            raise InferometerError(f"--author {name!r:.60}: give a name, like 'Lovelace, Ada'")
    return clean

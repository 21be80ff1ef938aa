"""The files of a report: one page and four tables beside the raw data, all from the same document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic

FOLDER = "report"
PAGE = "report.html"
Document = Mapping[str, Any]


def renderers(page: Callable[[Document, Path | None], str], source: Path | None) -> dict[str, Any]:
    """File name -> a function from the document to the file's bytes.

    ``page`` makes the page; ``source`` is the results folder with the raw data, None for a comparison.
    """
    from orchestrator.report import comma, latex, markdown, parquet

    return {
        "table.md": lambda document: markdown.render(document).encode(),
        "table.csv": lambda document: comma.render(document).encode(),
        "table.tex": lambda document: latex.render(document).encode(),
        "table.parquet": parquet.render,
        PAGE: lambda document: page(document, source).encode(),
    }


def write(
    document: Document, source: Path | None, folder: Path, page: Callable[[Document, Path | None], str]
) -> Path:
    """Write all files into ``folder``, each whole or not at all; returns the path of the page.

    Raises InferometerError where ``folder`` is something else, OSError where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InferometerError(
            f"{folder}: is a file, and a report is a folder; choose another --out"
        ) from None
    for name, render in renderers(page, source).items():
        write_atomic(folder / name, render(document))
    return folder / PAGE

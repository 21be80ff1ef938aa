"""The files of a report: one page and four tables beside the raw data, all from the same document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic

FOLDER = "report"
PAGE, PARQUET = "report.html", "table.parquet"
NO_PARQUET = f"{PARQUET} was not written: that needs pyarrow; install it (make setup-report) and report again"
Document = Mapping[str, Any]


def renderers(page: Callable[[Document, Path | None], str], source: Path | None) -> dict[str, Any]:
    """File name -> a function from the document to the file's bytes; Parquet only where pyarrow is installed.

    ``page`` makes the page; ``source`` is the results folder with the raw data, None for a comparison.
    """
    from orchestrator.report import comma, latex, markdown, parquet

    found: dict[str, Any] = {
        "table.md": lambda document: markdown.render(document).encode(),
        "table.csv": lambda document: comma.render(document).encode(),
        "table.tex": lambda document: latex.render(document).encode(),
        PARQUET: parquet.render,
        PAGE: lambda document: page(document, source).encode(),
    }
    if find_spec("pyarrow") is None:
        del found[PARQUET]
    return found


def write(
    document: Document, source: Path | None, folder: Path, page: Callable[[Document, Path | None], str]
) -> list[Path]:
    """Write all files into ``folder``, each whole or not at all; returns their paths, the page's last.

    What an earlier report left there and this one cannot make is removed: files of two runs look alike.
    Raises InferometerError where ``folder`` is something else, OSError where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InferometerError(
            f"{folder}: is a file, and a report is a folder; choose another --out"
        ) from None
    made = renderers(page, source)
    if PARQUET not in made:
        (folder / PARQUET).unlink(missing_ok=True)
    for name, render in made.items():
        write_atomic(folder / name, render(document))
    return [folder / name for name in made]

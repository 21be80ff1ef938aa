"""What commands make from a summary document and leave in the results folder: who renders it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from orchestrator.report import files
from orchestrator.verify import citation
from orchestrator.verify.manifest import CITATION

Renderer = Callable[[Mapping[str, Any]], bytes]  # of the summary document


def renderers(folder: Path) -> Mapping[str, Renderer]:
    """Path in the results folder -> what makes its content; without pyarrow there is none for Parquet."""
    found: dict[str, Renderer] = {
        f"{files.FOLDER}/{name}": render for name, render in files.renderers(_page, folder).items()
    }
    found[CITATION] = lambda document: citation.again(document, folder)
    return found


def _page(document: Mapping[str, Any], folder: Path | None) -> str:
    # When it is needed: the other files must not pay for the page's program and styles.
    text: str = import_module("orchestrator.report.page").render(document, folder)
    return text

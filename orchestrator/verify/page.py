"""The report's page with how its run is cited, for whoever writes it and for whoever makes it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from orchestrator.verify import citation


def render(document: Mapping[str, Any], folder: Path | None, tries: Iterable[Any] | None = None) -> str:
    """The page of ``orchestrator.report.page``; a comparison has no folder, and its runs are cited."""
    cited = citation.on_page(document, folder) if folder else None
    # When it is needed: the other files must not pay for the page's program and styles.
    text: str = import_module("orchestrator.report.page").render(
        {**document, "citation": cited}, folder, tries
    )
    return text

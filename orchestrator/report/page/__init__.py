"""The report as one HTML file that needs nothing else: no network, no server, no other file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.report.page import assets, launches, model
from orchestrator.report.page.launches import Launch
from orchestrator.store import Run


def render(document: Mapping[str, Any], folder: Path | None, tries: Iterable[Launch] | None = None) -> str:
    """The page of a summary document or merged comparison; equal input gives equal bytes.

    ``folder``: the results folder that the document was computed from; None leaves out what only raw data
    shows, and says so. ``tries``: its launches, from whoever has read them already. Raises InferometerError
    on damaged files.
    """
    if folder is None:
        return assets.page(model.build(document))
    header = Run.open(folder).header()
    return assets.page(model.build(document, launches.read(folder) if tries is None else tries, header))

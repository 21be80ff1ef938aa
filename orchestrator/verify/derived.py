"""What commands make from a summary document and leave in the results folder: who renders it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.report import curve, files, table
from orchestrator.verify import citation, page
from orchestrator.verify.manifest import CITATION, CURVE

Renderer = Callable[[Mapping[str, Any]], bytes]  # of the summary document


def renderers(folder: Path) -> Mapping[str, Renderer]:
    """Path in the results folder -> what makes its content; without pyarrow there is none for Parquet."""
    found: dict[str, Renderer] = {
        f"{files.FOLDER}/{name}": render for name, render in files.renderers(page.render, folder).items()
    }
    found[CITATION] = lambda document: citation.again(document, folder)
    found[CURVE] = lambda document: _curve(document, folder / CURVE)
    return found


def _curve(document: Mapping[str, Any], path: Path) -> bytes:
    """The picture as it lies there if any sustained case gives it (which was drawn, it alone knows)."""
    rows = [row for row in table.content(document).rows if row.summary.sustained]
    made = [curve.render(row.summary, row.run).encode() for row in rows]
    if not made:
        raise InferometerError("no case here has a long window")
    stored = path.read_bytes()
    return stored if stored in made else made[0]

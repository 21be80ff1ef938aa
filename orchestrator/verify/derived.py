"""What commands make from a summary document and leave in the results folder: who renders it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.report import comma, markdown
from orchestrator.verify import citation
from orchestrator.verify.manifest import CITATION

Renderer = Callable[[Mapping[str, Any], Path], bytes]  # the summary document, the results folder

RENDERERS: Mapping[str, Renderer] = {
    CITATION: citation.again,
    "report/table.csv": lambda document, folder: comma.render(document).encode(),
    "report/table.md": lambda document, folder: markdown.render(document).encode(),
}

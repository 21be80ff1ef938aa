"""The page's own files put into one: styles, libraries, scripts and data, with nothing left to fetch."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LIBRARIES = ("d3.min.js", "plot.umd.min.js")  # Plot finds d3 by its global name
DATA_ID = "inferometer-data"


def page(model: Mapping[str, Any]) -> str:
    """The HTML file of a model. Equal models give equal bytes."""
    libraries, script = _libraries(), _script()
    template = (FOLDER / "page.html").read_text("utf-8")
    # Data last: whatever stands in it is never looked at again.
    parts = {
        "POLICY": _policy(libraries, script),
        "TITLE": escape(str(model["title"])),
        "STYLE": _joined("style", "css"),
        "LIBRARIES": libraries,
        "SCRIPT": script,
        "DATA": data(model),
    }
    pieces = template.split("%%")  # text, NAME, text, NAME, ..., text
    return "".join(parts[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def data(model: Mapping[str, Any]) -> str:
    """JSON that no HTML parser can end early: ``<`` is written as an escape. Raises ValueError on NaN."""
    text = json.dumps(model, ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c")


@lru_cache
def _libraries() -> str:
    return "\n".join((FOLDER / "vendor" / name).read_text("utf-8") for name in LIBRARIES)


@lru_cache
def _script() -> str:
    """Our scripts in the order of their names, in one function: they share names and leak none."""
    return f'(() => {{\n"use strict";\n{_joined("script", "js")}}})();'


def _joined(folder: str, ending: str) -> str:
    return "".join(path.read_text("utf-8") for path in sorted((FOLDER / folder).glob(f"*.{ending}")))


def _policy(*scripts: str) -> str:
    """A content security policy: these scripts, inline styles, and nothing from anywhere else."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    )
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"

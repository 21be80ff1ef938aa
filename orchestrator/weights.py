"""The weights that an export starts from: bundled, or downloaded once and verified."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from orchestrator import artifacts
from orchestrator.catalog import Model
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

Progress = Callable[[str], None]


def fetch(root: Path, cache: Path, model: Model, progress: Progress) -> tuple[Path | None, str | None]:
    """(file, None) or (None, why there is none). Official weights are verified by SHA-256."""
    card = model.weights
    if card.get("kind") == "bundled":
        return root / "models" / card["file"], None
    if card.get("kind") == "yours":
        path = model.folder / card["file"]
        if not path.is_file() or sha256_file(path) != card.get("sha256"):
            raise InferometerError(
                f"{path}: is not the file that was added; `inferometer models add` it again"
            )
        return path, None
    path, sha256 = artifacts.weights_file(cache, model), card.get("sha256")
    if path is None or not sha256:
        return None, "the card names no weights"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        progress(f"downloading {path.name}")
        problem = _download(card["url"], path, progress)
        if problem:
            return None, f"{path.name} cannot be downloaded ({problem}); put it at {path} to use it"
    actual = sha256_file(path)
    if actual != sha256:
        raise InferometerError(
            f"{path}: SHA-256 is {actual[:12]}..., {model.path} says {sha256[:12]}...; delete it"
        )
    return path, None


def _download(url: str, path: Path, progress: Progress) -> str | None:
    partial = path.with_suffix(path.suffix + ".part")
    try:
        with urllib.request.urlopen(url, timeout=20) as response, partial.open("wb") as stream:
            total, done, shown = int(response.headers.get("Content-Length") or 0), 0, 0
            while chunk := response.read(1 << 20):
                stream.write(chunk)
                done += len(chunk)
                if total and done * 10 // total > shown:
                    shown = done * 10 // total
                    progress(f"  {path.name}: {shown * 10} %")
        if total and done != total:
            return f"cut off after {done} of {total} bytes"
    except (urllib.error.URLError, OSError) as problem:
        return str(getattr(problem, "reason", problem))
    os.replace(partial, path)
    return None

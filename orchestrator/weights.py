"""The weights that an export starts from: bundled, or downloaded once and verified."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator import artifacts
from orchestrator.catalog import Model
from orchestrator.domain import InferometerError
from orchestrator.downloads import Wanted, download
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
    if not path.exists():
        progress(f"downloading {path.name}")
        problem = download(Wanted(card["url"], sha256=sha256), path, progress)
        if problem:
            # Every table shows this reason: where it lies in the cache, not in whose home folder.
            where = f"{path.relative_to(cache).as_posix()} in the cache (~/.cache/inferometer)"
            return None, f"{path.name} cannot be downloaded ({problem}); put it at {where} to use it"
        return path, None
    actual = sha256_file(path)
    if actual != sha256:
        raise InferometerError(
            f"{path}: SHA-256 is {actual[:12]}..., {model.path} says {sha256[:12]}...; delete it"
        )
    return path, None

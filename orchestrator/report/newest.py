"""The results folder that is meant where none is named."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain import InferometerError


def finished(results: Path) -> Path:
    """The run below ``results`` that ended last. Raises InferometerError where none did."""
    summaries = [path for path in results.glob("*/summary.json") if (path.parent / "run.json").exists()]
    if not summaries:
        raise InferometerError(f"{results} holds no finished run; name a results folder, or bench first")
    return max(summaries, key=lambda path: (path.stat().st_mtime_ns, path.parent.name)).parent

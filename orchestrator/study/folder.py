"""A study's results folder: the record of what was asked, the bench's run, the report and its figures."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from itertools import chain, count
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic
from orchestrator.study import comma, figures, markdown
from orchestrator.study.candidates import REPORT
from orchestrator.study.steps import Way, to_json

RECORD = "study.json"


def choose(results: Path, way: Way, device: str, identity: Mapping[str, Any]) -> Path:
    """The newest folder of the same way that has no report yet, else a new name; makes the folder."""
    scale = way.scale or "full"
    begun = f"study-{way.study.id}-{scale}-"
    want = {"fingerprint": way.fingerprint(), "device": device, "identity": dict(identity)}
    for folder in sorted(results.glob(f"{begun}*/"), reverse=True):
        if not (folder / REPORT).exists() and _asked(folder) == want:
            return folder
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    names = (
        f"{begun}{device}-{stamp}-{os.getpid()}{more}" for more in chain([""], map("-{}".format, count(2)))
    )
    folder = results / next(name for name in names if not (results / name).exists())
    try:
        folder.mkdir(parents=True)
    except OSError as problem:
        raise InferometerError(
            f"{folder}: cannot be made ({problem.strerror}); run the study where results/ can be written"
        ) from None
    write_atomic(folder / RECORD, _pretty({"asked": want, "way": to_json(way)}))
    return folder


def bench(folder: Path, made: Mapping[Any, Mapping[str, Any] | str], settings: Any) -> Path:
    """The bench's folder for exactly these files measured in this way.

    What failed to export may be there when the study goes on: then its bench is another one.
    """
    files = {
        "/".join(key): None if isinstance(manifest, str) else [one["sha256"] for one in manifest["artifacts"]]
        for key, manifest in made.items()
    }
    text = json.dumps([files, asdict(settings)], sort_keys=True)
    return folder / f"bench-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _asked(folder: Path) -> Any:
    try:
        return json.loads((folder / RECORD).read_bytes())["asked"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not one of ours, or damaged: begun anew beside it


def record(folder: Path, used: Mapping[str, Any]) -> None:
    """Add what was used to the record: every export with its hashes, the budget, the time taken."""
    path = folder / RECORD
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise InferometerError(f"{path}: unreadable ({problem}); restore it from a copy") from None
    write_atomic(path, _pretty({**known, "used": dict(used)}))


def write(folder: Path, document: Mapping[str, Any]) -> list[Path]:
    """Figures, ``report.md``, ``report.csv`` and at last ``report.json``, which says that all is there."""
    drawn = figures.draw(document)
    files = []
    for number, (title, svg) in enumerate(drawn, start=1):
        files.append((title, f"figure-{number}-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}.svg"))
        write_atomic(folder / files[-1][1], svg.encode())
    texts = {
        "report.md": markdown.render(document, files),
        "report.csv": comma.render(document),
        REPORT: _pretty(document).decode(),
    }
    for name, text in texts.items():
        write_atomic(folder / name, text.encode())
    return [folder / name for name in texts] + [folder / name for _, name in files]


def _pretty(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"

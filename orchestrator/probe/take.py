"""From the machine to the archive: watch it for a while, read the rest, make it nobody's."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from orchestrator import __version__, choices
from orchestrator.catalog import Catalog
from orchestrator.domain import InferometerError
from orchestrator.engines import observer
from orchestrator.engines.launch import Watch
from orchestrator.engines.place import here
from orchestrator.probe.anonymity import Anonymiser, identifying, system_ids
from orchestrator.probe.archive import Archive
from orchestrator.probe.collect import Collection
from orchestrator.probe.paths import COMMANDS, FILES, STREAMS
from orchestrator.probe.processes import Renumbering, is_barren

# A process that ended while we looked leaves half of its files: a machine never shows such a thing.
_GONE = ("ENOENT", "ESRCH")
WATCH_S, INTERVAL_S = 5.0, 0.25  # twenty reads and one of every file that a source has


def name_of(catalog: Catalog, device: str) -> str:
    """The device's id, or that of the one that this machine is, or ``unknown`` with its architecture.

    Raises InferometerError for an id that no device has.
    """
    if device:
        return catalog.device(device).id
    found = choices.recognised(catalog, here())
    return found.id if found else f"unknown-{platform.machine()}"


def take(device: str, watch_s: float = WATCH_S) -> Archive:
    """All of this machine; takes ``watch_s`` and as long as its commands need.

    Raises InferometerError where telemetry gives nothing.
    """
    found = Collection()
    telemetry = _watch(found, watch_s)
    found.files(Path("/"), FILES)
    for words in COMMANDS:
        found.command(words)
    for words, lines in STREAMS:
        found.command(words, lines)
    return anonymous(device, found, telemetry, os.getpid(), Anonymiser(identifying(), system_ids()))


def _watch(found: Collection, watch_s: float) -> bytes:
    """Let telemetry's recorder run over this process; what it read goes into the collection."""
    with tempfile.TemporaryDirectory(prefix="inferometer-probe-") as name:
        folder = Path(name)
        lines = folder / "telemetry.jsonl"
        child = observer.start(os.getpid(), Watch(INTERVAL_S, ()), lines, folder)
        try:
            time.sleep(watch_s)
        finally:
            observer.stop(child)
        if child.returncode or not (folder / "reads.jsonl").exists():
            raise InferometerError("telemetry gave nothing; `inferometer telemetry --once` says why")
        for text in (folder / "reads.jsonl").read_text("ascii").splitlines():
            read = json.loads(text)
            path = read["path"]
            path = path if path.startswith(("commands/", "devices/")) else f"sys-root/{path}"
            found.reads.setdefault(path, []).append((read["ns"], read["error"]))
        for path in found.reads:
            if (folder / path).is_file():
                found.contents[path] = (folder / path).read_bytes()
        return lines.read_bytes()


def anonymous(device: str, found: Collection, telemetry: bytes, pid: int, clean: Anonymiser) -> Archive:
    """What was found, as an archive of nobody's machine."""
    renumbered = Renumbering(pid, found.reads)
    gone = {path for path, each in found.reads.items() if each[-1][1] in _GONE}
    contents = renumbered.contents({path: data for path, data in found.contents.items() if path not in gone})
    reads = {renumbered.path(path): each for path, each in found.reads.items()}
    for path in list(contents):
        if is_barren(path, contents[path]):
            del contents[path], reads[path]
    errors = {clean.path(path): each[-1][1] for path, each in reads.items() if path not in contents}
    contents["telemetry.jsonl"] = telemetry
    contents["errors.json"] = _json(errors)
    contents["latencies.json"] = _json({clean.path(path): _latency(each) for path, each in reads.items()})
    contents["facts.json"] = _json(
        {
            "inferometer": __version__,
            "kernel": platform.release(),
            "arch": platform.machine(),
            "python": platform.python_version(),
            "docker": found.contents.get("commands/docker_version_--format___.Server.Version__", b"")
            .decode()
            .strip()
            or None,
        }
    )
    cleaned = {clean.path(path): clean.content(path, data) for path, data in contents.items()}
    return Archive(device, cleaned, {**clean.times, "owner": renumbered.owners}, tuple(clean.kept()))


def _latency(reads: list[tuple[int, str | None]]) -> dict[str, Any]:
    """Of the reads that gave something: how many, median and 95th percentile; and the errors of others."""
    good = sorted(ns for ns, error in reads if error is None)
    errors = Counter(error for _, error in reads if error)
    return {
        "n": len(good),
        "p50_ns": good[(len(good) - 1) // 2] if good else None,
        "p95_ns": good[-(-len(good) * 95 // 100) - 1] if good else None,
        "errors": dict(errors),
    }


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"

"""The results folder: append-only, each trial durable before the next starts.

Layout: ``run.json`` (plan and environment, written once), ``baseline.json`` (how cool trials start),
``trials.jsonl`` (one line a trial), ``raw/<n>/`` (request, transcript, log, telemetry of line n),
``observer/`` (what watching costs), ``ceilings/<place>/`` (what a container could do at most),
``loadgen/<n>/`` (launches that LoadGen drove), ``jtop.json`` (on a Jetson), ``summary.json`` (recomputable;
the run is finished), ``manifest.json`` and ``CITATION.cff`` (see ``orchestrator/verify``).
A trial exists if and only if its line is complete in ``trials.jsonl``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from orchestrator import shape
from orchestrator.domain import InferometerError, TrialRecord
from orchestrator.files import sync_folder, write_atomic
from orchestrator.migrations import SCHEMA, current

SUMMARY = "summary.json"  # a run that has it is finished


class Run:
    """One results folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def trials_path(self) -> Path:
        """The file that holds one record a line."""
        return self.folder / "trials.jsonl"

    @classmethod
    def create(cls, folder: Path, header: Mapping[str, Any]) -> Run:
        """Make the folder with its ``run.json``. Raises InferometerError if it holds a run already."""
        if (folder / "run.json").exists():
            raise InferometerError(f"{folder} already holds a run; choose another RESULTS folder")
        try:
            # Repairing deletes what no trial wrote below raw/: never in a folder that is somebody else's.
            if any(not path.name.startswith(".run.json.") for path in _content(folder)):
                raise InferometerError(f"{folder} holds other files; choose an empty RESULTS folder")
            (folder / "raw").mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InferometerError(
                f"{folder}: cannot be made ({problem.strerror}); choose another RESULTS folder"
            ) from None
        write_atomic(folder / "run.json", rendered({"schema": SCHEMA, **header}))
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """An existing results folder. Raises InferometerError when it is none or of a newer schema."""
        run = cls(folder)
        run.header()
        return run

    @property
    def schema(self) -> int:
        """The schema the folder was written in; what is read is always today's."""
        return int(self._written()[1]["schema"])

    def _written(self) -> tuple[bytes, dict[str, Any]]:
        path = self.folder / "run.json"
        try:
            text = path.read_bytes()
            content = json.loads(text)
            if not isinstance(content, dict) or "schema" not in content:
                raise ValueError("no object with a field schema")
        except (FileNotFoundError, NotADirectoryError):
            raise InferometerError(f"{self.folder} is no results folder: it has no run.json") from None
        except (ValueError, OSError) as problem:
            raise InferometerError(f"{path}: unreadable ({problem}); restore it from a copy") from None
        return text, content

    def header(self, *fields: str) -> dict[str, Any]:
        """``run.json`` in today's schema.

        Raises InferometerError naming the field that is not as ``schemas/run.schema.json`` has it, or that
        of ``fields`` (a.b) which is missing.
        """
        path = self.folder / "run.json"
        text, written = self._written()
        content = current("run", str(path), written)
        wrong = shape.problem("run", text, content)
        if wrong:
            raise InferometerError(f"{path}: {wrong}; restore it from a copy")
        for field in fields:
            value: Any = content
            for name in field.split("."):
                if not isinstance(value, dict) or name not in value:
                    raise InferometerError(f"{path}: field {field} is missing; restore it from a copy")
                value = value[name]
        return content

    def repair(self) -> None:
        """Drop what a crash left behind: a torn last line, raw files without a line."""
        whole = 0
        if self.trials_path.exists():
            data = self.trials_path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole != len(data):
                with self.trials_path.open("r+b") as stream:
                    stream.truncate(whole)
                    os.fsync(stream.fileno())
        lines = sum(1 for _ in self.records())
        (self.folder / "raw").mkdir(exist_ok=True)
        for entry in (self.folder / "raw").iterdir():
            if not entry.is_dir():
                entry.unlink()
            elif not entry.name.isdecimal() or int(entry.name) >= lines:
                shutil.rmtree(entry)
        for stale in [*self.folder.glob(".*.json.*"), *self.folder.glob(".*.cff.*")]:
            stale.unlink()

    def records(self) -> Iterator[TrialRecord]:
        """The finished trials in the order they ran; a torn last line is not one.

        Raises InferometerError naming the line, and its field, that is no record.
        """
        try:
            stream = self.trials_path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n"):
                    return
                yield self._record(number, line)

    def _record(self, number: int, line: bytes) -> TrialRecord:
        try:
            content = json.loads(line)
            wrong = shape.problem("trial", line, content)
            if not wrong:
                return TrialRecord.from_json(content)
        except (ValueError, KeyError, TypeError, RecursionError) as problem:
            wrong = str(problem)
        raise InferometerError(
            f"{self.trials_path}: line {number} is no trial record ({wrong}); restore the file from a copy"
        )

    def raw(self, number: int) -> Path:
        """The folder of raw files of line ``number`` (from 0)."""
        return self.folder / "raw" / f"{number:05d}"

    def begin(self, number: int) -> Path:
        """A fresh folder for the raw files of the next trial."""
        path = self.raw(number)
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        return path

    def append(self, record: TrialRecord, raw: Path) -> None:
        """Make raw files durable, then the record's line; after return the trial survives a power cut."""
        for path in raw.iterdir():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        sync_folder(raw)
        sync_folder(raw.parent)
        line = json.dumps(record.to_json(), separators=(",", ":"), sort_keys=True).encode() + b"\n"
        with self.trials_path.open("ab") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(self.folder)

    def baseline(self) -> dict[str, Any] | None:
        """``{baseline_c: {sensor: degrees}, reason}`` as last written, or None before that.

        ``reason``: why there is no sensor. Raises InferometerError when the file is damaged.
        """
        path = self.folder / "baseline.json"
        try:
            content = json.loads(path.read_bytes())
            return {name: content[name] for name in ("baseline_c", "reason")}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as problem:
            raise InferometerError(f"{path}: unreadable ({problem}); restore it from a copy") from None

    def write_baseline(self, document: Mapping[str, Any]) -> None:
        """Replace ``baseline.json``."""
        write_atomic(self.folder / "baseline.json", rendered(document))

    def opinions(self) -> dict[str, Any]:
        """What jetson-stats said ``before`` and ``after`` the trials; empty where it was not asked."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "jtop.json").read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            path = self.folder / "jtop.json"
            raise InferometerError(f"{path}: unreadable ({problem}); restore it from a copy") from None
        return found

    def write_opinion(self, when: str, told: Mapping[str, Any]) -> None:
        """Add to ``jtop.json``; what was said before the first trial stays."""
        write_atomic(self.folder / "jtop.json", rendered({when: dict(told), **self.opinions()}))

    def write_summary(self, document: Mapping[str, Any]) -> None:
        """Replace ``summary.json``."""
        write_atomic(self.folder / SUMMARY, rendered(document))


def _content(folder: Path) -> list[Path]:
    """What lies in a folder and its raw/, beside an empty raw/ itself."""
    found = [path for path in folder.iterdir() if path.name != "raw"] if folder.exists() else []
    raw = folder / "raw"
    return found + (list(raw.iterdir()) if raw.exists() else [])


def rendered(document: Mapping[str, Any]) -> bytes:
    """A document as the files of a results folder have it."""
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def launch_beside(folder: Path, kinds: Mapping[str, type | UnionType]) -> dict[str, Any]:
    """``result.json`` of a launch beside the trials, with its ``failure`` and ``files``.

    ``kinds``: its other fields. Raises InferometerError naming the file and the field of another kind.
    """
    path = folder / "result.json"
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, OSError, RecursionError) as problem:
        raise InferometerError(f"{path}: unreadable ({problem}); restore it from a copy") from None
    for name, kind in {**kinds, "failure": str | None, "files": dict}.items():
        known = isinstance(content, dict) and name in content
        if not known or not isinstance(content[name], kind):
            raise InferometerError(f"{path}: field {name} is missing or damaged; restore it from a copy")
    found: dict[str, Any] = content
    return found

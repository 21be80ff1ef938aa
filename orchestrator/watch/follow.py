"""What a results folder says so far, read anew only as far as it grew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.domain import Case, InferometerError
from orchestrator.watch.flight import Begun, begun, flight
from orchestrator.watch.state import State, Trial, trial_of


class Follower:
    """Follows one folder; ``state`` is what is known, None as long as it holds no run."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.state: State | None = None
        self._offset = 0  # of trials.jsonl: the end of the last whole line
        self._size = -1
        self._finished = False
        self._cases: dict[str, Case] = {}  # of the plan, by id
        self._begun: Begun | None = None

    def look(self) -> bool:
        """Read what is new; whether anything is. Raises InferometerError on a damaged file."""
        if self.state is None and not self._begin():
            return False
        assert self.state is not None
        news = self._read(self.state)
        finished = (self.folder / "summary.json").exists()
        news = news or finished is not self._finished
        self._finished = self.state.finished = finished
        return self._look_at_flight(self.state) or news

    def _look_at_flight(self, state: State) -> bool:
        """See which trial is in flight; whether another one than before."""
        before = state.flight
        raw = self.folder / "raw" / f"{len(state.trials):05d}"
        self._begun = None if state.finished else begun(raw, self._begun)
        state.flight = flight(self._begun, state, self._cases) if self._begun else None
        return state.flight != before

    def _begin(self) -> bool:
        path = self.folder / "run.json"
        try:
            header = json.loads(path.read_bytes())
            self.state = State.of(str(self.folder), header)
            planned = [Case.from_json(item["case"]) for item in header["plan"]["trials"]]
            self._cases = {case.id: case for case in planned}
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise InferometerError(f"{path}: unreadable ({problem!r}); restore it from a copy") from None
        return True

    def _read(self, state: State) -> bool:
        path = self.folder / "trials.jsonl"
        try:
            found = path.stat()
            if found.st_size == self._size:
                return False
            self._size, state.changed_s = found.st_size, found.st_mtime
            with path.open("rb") as stream:
                stream.seek(self._offset)
                content = stream.read()
        except FileNotFoundError:
            return False
        whole = content[: content.rfind(b"\n") + 1]  # a torn line is read when it is whole
        for line in whole.splitlines():
            state.add(self._trial(line, path, len(state.trials) + 1))
        self._offset += len(whole)
        return bool(whole)

    def _trial(self, line: bytes, path: Path, number: int) -> Trial:
        try:
            record: dict[str, Any] = json.loads(line)
            return trial_of(record)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise InferometerError(
                f"{path}: line {number} is no trial record ({problem!r}); restore the file from a copy"
            ) from None


def newest(results: Path) -> Path:
    """The unfinished run below ``results`` that grew last. Raises InferometerError where there is none."""
    ages = {}
    for header in results.glob("*/run.json"):
        folder = header.parent
        if not (folder / "summary.json").exists():
            trials = folder / "trials.jsonl"
            ages[folder] = max(path.stat().st_mtime_ns for path in (header, trials) if path.exists())
    if not ages:
        raise InferometerError(f"{results} holds no unfinished run; name a results folder, or start a bench")
    return max(ages, key=lambda folder: ages[folder])

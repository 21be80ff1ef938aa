"""Benches that are killed: what belongs to one, and whether its run is whole in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from orchestrator.domain import Case, Status, Trial
from orchestrator.files import sha256_file
from orchestrator.store import Run


def belonging(place: Path) -> list[str]:
    """Command lines of the living processes that were started for a place, orphans among them."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(place) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def wait_for(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Until it holds or the time is over; the caller asserts."""
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def check(folder: Path, cases: int, launches: int) -> None:
    """Every planned trial is there exactly once, in order, with its raw files."""
    run = Run.open(folder)
    records = list(run.records())
    planned = [Trial(Case.from_json(t["case"]), t["launch"]) for t in run.header()["plan"]["trials"]]
    assert [record.trial for record in records] == [trial.id for trial in planned]
    assert len({record.trial for record in records}) == len(records) == cases * launches
    assert {record.status for record in records} == {Status.OK}
    numbers = [f"{number:05d}" for number in range(len(records))]
    assert sorted(path.name for path in (folder / "raw").iterdir()) == numbers
    for number, record in enumerate(records):
        assert len(record.files) == 4
        assert {path.name for path in run.raw(number).iterdir()} == set(record.files)
        for name, sha256 in record.files.items():
            assert sha256_file(run.raw(number) / name) == sha256
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []

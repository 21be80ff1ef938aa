"""Launches for the page, taken down while the same raw data is read for the figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from orchestrator import wire
from orchestrator.domain import TrialRecord
from orchestrator.report.page import series
from orchestrator.report.page.launches import Launch, launch_of
from orchestrator.store import Run


class Gathered:
    """The launches of a folder, taken down while somebody else reads them; iterated they are those of read.

    Of each window only what the page draws is kept: the same bytes come of it.
    """

    def __init__(self, folder: Path):
        self._run = Run.open(folder)
        path = self._run.trials_path
        self._count = series.quantile_count(path.read_bytes().count(b"\n") if path.exists() else 0)
        self._found: dict[int, Launch] = {}

    def __call__(self, number: int, record: TrialRecord, transcript: wire.Transcript | None) -> None:
        """One trial by its number; ``transcript``: of a good one."""
        if transcript is None:
            self._found[number] = Launch(record)
            return
        whole = launch_of(self._run.raw(number), record, transcript)
        self._found[number] = replace(
            whole, latencies_ns=series.drawn(whole.latencies_ns, self._count).tolist()
        )

    def __iter__(self) -> Iterator[Launch]:
        """In the order they ran."""
        return (self._found[number] for number in sorted(self._found))

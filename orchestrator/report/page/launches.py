"""What the page needs of each launch, read from a results folder one launch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator import measurement, wire
from orchestrator.domain import InferometerError, Status, TrialRecord
from orchestrator.store import Run

Window = tuple[int, int]  # start and end, CLOCK_MONOTONIC in ns


@dataclass(frozen=True)
class Launch:
    """One launch: its record, and of a good one the raw latencies (ns), phases and telemetry.

    ``readings`` is called at most once, and only for a launch whose timeline is drawn.
    """

    record: TrialRecord
    latencies_ns: Sequence[int] = ()
    phases: Mapping[str, Window] = field(default_factory=dict)
    readings: Callable[[], Sequence[measurement.Line]] = tuple


def read(folder: Path) -> Iterator[Launch]:
    """Every launch of a results folder in the order they ran. Raises InferometerError on damaged files."""
    run = Run.open(folder)
    for number, record in enumerate(run.records()):
        yield _good(run.raw(number), record) if record.status is Status.OK else Launch(record)


def _good(raw: Path, record: TrialRecord) -> Launch:
    path = raw / "transcript.jsonl"
    try:
        with path.open("rb") as stream:
            # Outputs are most of a transcript, and no figure of the page is made of them.
            transcript = wire.read(line for line in stream if not line.startswith(b'{"type":"outputs"'))
    except OSError as problem:
        raise InferometerError(
            f"{path}: cannot be read: {problem.strerror}; restore it from a copy"
        ) from None
    if transcript.violation:
        raise InferometerError(f"{path}: {transcript.violation}; restore it from a copy")
    return launch_of(raw, record, transcript)


def launch_of(raw: Path, record: TrialRecord, transcript: wire.Transcript) -> Launch:
    """A good launch from what its runner said; ``raw``: its folder."""
    windows = {name: transcript.window(name) for name in transcript.marks}
    return Launch(
        record,
        transcript.latencies("measure"),
        {name: window for name, window in windows.items() if window},
        lambda: measurement.read_lines(raw / "telemetry.jsonl"),
    )

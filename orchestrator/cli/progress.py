"""Progress of a bench: a bar between trials on a terminal, plain lines elsewhere.

Nothing is painted while a runner runs: no refresh thread, only calls between trials.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from orchestrator.domain import Status, Trial, TrialRecord


def describe(record: TrialRecord) -> str:
    """One trial's outcome in a few words."""
    if record.status is not Status.OK or record.latency is None:
        return f"{record.status.value}: {record.reason}"
    p50_ns = record.latency.p50_ns
    p50 = f"{p50_ns / 1e6:.3g} ms" if p50_ns >= 1e5 else f"{p50_ns / 1e3:.3g} us"
    if record.emulated:  # as in the tables: in brackets, for it says nothing about the board
        p50 = f"({p50}, emulated)"
    return f"p50 {p50}, n={record.latency.count}"


class PlainLines:
    """For logs and pipes."""

    def begun(self, folder: Path) -> None:
        """Nothing: the last line names the folder."""

    def say(self, text: str) -> None:
        """A line about preparation."""
        click.echo(text, err=True)

    def trial_starts(self, number: int, total: int, trial: Trial) -> None:
        """Nothing: the line comes when the trial ended."""

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        """One line a trial."""
        click.echo(f"[{number}/{total}] {record.trial}  {describe(record)}", err=True)


class Bar:
    """For terminals: a rich bar that is repainted between trials only."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.progress = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            auto_refresh=False,
            transient=True,
            console=Console(stderr=True),
        )
        self._task = self.progress.add_task("", total=None, visible=False)

    def begun(self, folder: Path) -> None:
        """Nothing: the last line names the folder."""

    def say(self, text: str) -> None:
        """A line above the bar."""
        self.progress.console.print(text, markup=False, highlight=False)

    def trial_starts(self, number: int, total: int, trial: Trial) -> None:
        """Paint the bar once; it then stands still until the trial ended."""
        self.progress.update(self._task, completed=number, total=total, description=trial.id, visible=True)
        self.progress.refresh()

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        """A line for the trial and the bar one step further."""
        self.say(f"{record.trial}  {describe(record)}")
        self.progress.update(self._task, completed=number, total=total)


class LivePage(PlainLines):
    """The page of ``inferometer watch`` from the first trial on; lines before it, and after q."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._kept: list[str] = []  # what was said meanwhile

    def begun(self, folder: Path) -> None:
        """Start the page."""
        from orchestrator.watch import beside

        self._process = beside.start(folder)

    def say(self, text: str) -> None:
        """A line; where the page has the terminal it waits for the page's end."""
        if self._shows():
            self._kept.append(text)
        else:
            super().say(text)

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        """A line where the page was left."""
        if not self._shows():
            super().trial_ended(number, total, record)

    def end(self) -> None:
        """Take the page away and say what was kept."""
        if self._process:
            from orchestrator.watch import beside

            beside.stop(self._process)
            self._process = None
        for text in self._kept:
            self.say(text)
        self._kept = []

    def _shows(self) -> bool:
        return self._process is not None and self._process.poll() is None


@contextmanager
def watcher(live: bool = False) -> Iterator[PlainLines | Bar]:
    """The watcher that suits standard error; ``live``: a page, where this is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield PlainLines()
    elif live and sys.stdin.isatty() and sys.stdout.isatty():
        page = LivePage()
        try:
            yield page
        finally:
            page.end()
    else:
        bar = Bar()
        with bar.progress:
            yield bar

"""Tuning of one bench: checked before anything is made ready, on for trials, off for everything else."""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestrator.domain import InferometerError
from orchestrator.environment.host import Unknown
from orchestrator.tuning.journal import Entry, Journal
from orchestrator.tuning.knobs import KNOBS, Step
from orchestrator.tuning.leftover import restore
from orchestrator.tuning.machine import Machine, Refused
from orchestrator.tuning.wishes import TuneWish, written


def _silent(text: str) -> None:
    return


class Tuning:
    """The settings a bench wants; without a wish it does nothing. ``say`` is told one line at a time."""

    def __init__(
        self, wish: TuneWish = (), machine: Machine | None = None, say: Callable[[str], None] = _silent
    ):
        self.wish, self._machine, self._say = wish, machine or Machine(), say
        self._journal: Journal | None = None
        self._told = False

    def check(self) -> None:
        """Raises InferometerError for what this machine will not take; changes nothing."""
        if self.wish and Journal(self._machine).is_owned():
            raise InferometerError("--tune: another bench has tuned this machine; wait for it or stop it")
        for knob, value in self.wish:
            try:
                for step in KNOBS[knob].steps(self._machine, value):
                    step.setting.check()
            except (Unknown, Refused) as problem:
                raise _refusal(knob, value, problem) from None

    def on(self) -> None:
        """Set everything that is not set yet. Raises InferometerError after putting all back."""
        if self._journal or not self.wish:
            return
        self._journal = Journal(self._machine)
        try:
            for knob, value in self.wish:
                try:
                    self._set(self._journal, knob, value)
                except (Unknown, Refused) as problem:
                    raise _refusal(knob, value, problem) from None
        except BaseException:
            self.off()
            raise
        if not self._told:
            self._say(f"tuned for the trials: {written(self.wish)}")
            self._told = True

    def off(self) -> None:
        """Put everything back. Raises InferometerError for what did not go back."""
        journal, self._journal = self._journal, None
        if journal:
            for line in restore(journal).left:
                self._say(line)

    def _set(self, journal: Journal, knob: str, value: str) -> None:
        steps = [(step, step.setting.read()) for step in KNOBS[knob].steps(self._machine, value)]
        steps = [(step, old) for step, old in steps if old != step.target]
        if not any(step.target for step, _ in steps):
            return  # it is so already
        for step, _ in steps:
            if step.target:
                step.setting.prepare()
        boot_id = self._machine.boot_id()
        journal.add([_entry(knob, step, old, boot_id) for step, old in steps])
        for step, _ in steps:
            if step.target:
                step.setting.write(step.target)
        _settle(journal)


def _entry(knob: str, step: Step, old: str, boot_id: str | None) -> Entry:
    new = step.target if step.setting.is_atomic else None
    return Entry(knob, step.setting.kind, step.setting.name, old, new, boot_id)


def _settle(journal: Journal) -> None:
    """What could not say beforehand how it would end says it now."""
    for entry in list(journal.entries):
        setting = entry.setting(journal.machine)
        if entry.new is None and not setting.is_atomic:
            journal.settle(entry, setting.read())


def _refusal(knob: str, value: str, problem: Exception) -> InferometerError:
    """The reason first; the files that it is about, which lead in the problem's words, in brackets."""
    why = re.sub(r"(?s)^(/[^:]+): (.+)$", r"\2 (\1)", str(problem))
    return InferometerError(f"--tune {knob}={value}: {why}; leave it out, or mend that")

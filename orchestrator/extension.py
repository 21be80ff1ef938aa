"""The budget of one bench: what of it is left, and the launch beyond the plan that is worth the rest.

All of it follows from the results folder: an interrupted bench goes on with what is left, and what the
report says of the budget is computed as the bench decided it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator import allocation, merge, wire
from orchestrator.allocation import Standing
from orchestrator.domain import Case, CaseSummary, Skip, Status, Trial, TrialRecord, Verdict
from orchestrator.findings import Code, verdict
from orchestrator.plan import WIDTH, Plan
from orchestrator.store import Run


class Extension:
    """The launches a budget allows. Without one, all that are planned and none beyond."""

    def __init__(self, run: Run, plan: Plan, say: Callable[[str], None]):
        settings = plan.settings
        self._run, self._width, self._seed, self._say = run, settings.width, plan.wish.seed, say
        self.budget_s = settings.budget_s
        self._records: dict[str, list[tuple[int, TrialRecord]]] = {}
        self._standings: dict[str, Standing] = {}
        self._costs_s: list[float] = []
        for record in run.records() if self.budget_s is not None else ():
            self.add(record)

    @property
    def left_s(self) -> float:
        """Seconds of the budget that are left; without one, no end of them."""
        return math.inf if self.budget_s is None else self.budget_s - math.fsum(self._costs_s)

    def add(self, record: TrialRecord) -> None:
        """Count a launch whose record is durable."""
        if self.budget_s is None:
            return
        self._records.setdefault(record.case.id, []).append((len(self._costs_s), record))
        self._standings.pop(record.case.id, None)
        self._costs_s.append(cost_s(record))

    def trials(self, planned: Sequence[Trial], refused: Collection[str]) -> Iterator[Trial]:
        """The planned trials as far as the budget reaches, then those that narrow most; each is then added.

        ``refused``: ids of cases that cannot be launched, as far as that is known by then. Raises
        InferometerError for raw files that cannot be read.
        """
        for trial in planned:
            own_s = [cost_s(record) for _, record in self._records.get(trial.case.id, ())]
            if not _fits(own_s or self._costs_s, self.left_s):
                return
            yield trial
        if self.budget_s is None:
            return
        self._say(f"budget: {max(0.0, self.left_s):.0f} s are left for launches where they narrow most")
        while (worthiest := self._worthiest(refused)) is not None:
            yield worthiest

    def unseen(self, cases: Sequence[Case], refused: Collection[str]) -> list[Skip]:
        """The cases that the budget did not reach."""
        if self.budget_s is None:
            return []
        reason = unreached(self.budget_s)
        return [Skip(case, reason) for case in cases if case.id not in {*self._records, *refused}]

    def _worthiest(self, refused: Collection[str]) -> Trial | None:
        standings = [self._standing(case_id) for case_id in sorted(self._records) if case_id not in refused]
        choice = allocation.choose(standings, self._width, self.left_s, self._lot())
        if choice.case_id is None:
            return None
        group = self._records[choice.case_id]
        return Trial(group[0][1].case, 1 + max(record.launch for _, record in group))

    def _lot(self) -> random.Random:
        """The same one whenever a bench is resumed at this place."""
        return random.Random(f"{self._seed} {len(self._costs_s)}")

    def _standing(self, case_id: str) -> Standing:
        if case_id not in self._standings:
            group = sorted(self._records[case_id], key=lambda item: item[1].launch)
            records = [record for _, record in group]
            found = standing(records, None)
            if found.is_sound and allocation.need(found, self._width) <= 1:
                # Raw files are read only where the medians say that nothing is left to do.
                windows = [self._window(number) for number, _ in group]
                row = merge.summarise(records[0].case, records, windows, (), Verdict.VALID, merge.Facts())
                found = standing(records, half_width(row))
            self._standings[case_id] = found
        return self._standings[case_id]

    def _window(self, number: int) -> Sequence[int]:
        with (self._run.raw(number) / "transcript.jsonl").open("rb") as stream:
            return wire.read(stream).latencies("measure")


def cost_s(record: TrialRecord) -> float:
    """What a launch took of a budget: its own time and the cool-down before it."""
    waited_ns: int = (record.cooldown or {}).get("waited_ns", 0)
    return (record.wall_ns + waited_ns) / 1e9


def standing(records: Sequence[TrialRecord], half_width: float | None) -> Standing:
    """How far a case is, by all its records (in launch order, at least one) and its reported interval."""
    is_sound = all(
        record.status is Status.OK and verdict(record.findings) is not Verdict.INVALID for record in records
    )
    cost = math.fsum(map(cost_s, records)) / len(records)
    medians = tuple(
        record.latency.p50_ns for record in records if record.status is Status.OK and record.latency
    )
    return Standing(records[0].case.id, medians, half_width, cost, is_sound)


def half_width(row: CaseSummary) -> float | None:
    """Half the interval's width relative to its p50; None: the row has no interval."""
    if row.interval is None or not row.p50_ns:
        return None
    return (row.interval.high_ns - row.interval.low_ns) / 2 / row.p50_ns


def wide(row: CaseSummary, settings: Mapping[str, Any]) -> CaseSummary:
    """The row with a note where its interval is wider than wanted; ``settings`` as ``run.json`` has them.

    A first look without a budget is told to be one already.
    """
    width, found = settings.get("width", WIDTH), half_width(row)
    is_first_look = settings["quick"] and settings.get("budget_s") is None
    if found is None or found <= width or is_first_look or row.emulated:
        return row
    message = f"the interval reaches {found:.1%} to either side, wanted are {width:.1%}"
    # A note: it leaves the verdict as it is, and stands after all that is graver.
    return replace(row, findings=(*row.findings, Code.WIDE_INTERVAL.finding(message)))


def account(
    header: Mapping[str, Any],
    records: Sequence[TrialRecord],
    rows: Sequence[CaseSummary],
    skips: Sequence[Skip],
) -> dict[str, Any] | None:
    """What became of a budget, for the head of a document; None where none was given.

    ``{asked_s, spent_s, width, ended, extended}``: why no more launches were made (None: the bench was
    interrupted), and how many launches beyond the plan each case got. ``header`` is the content of
    ``run.json``, ``records`` are all there are.
    """
    settings = header["plan"]["settings"]
    asked_s = settings.get("budget_s")  # absent in runs of older versions
    if asked_s is None:
        return None
    spent_s = math.fsum(map(cost_s, records))
    extended = Counter(record.case.id for record in records if record.launch >= settings["launches"])
    return {
        "asked_s": asked_s,
        "spent_s": spent_s,
        "width": settings["width"],
        "ended": _ended(header, records, rows, skips, asked_s - spent_s),
        "extended": dict(sorted(extended.items())),
    }


def _ended(
    header: Mapping[str, Any],
    records: Sequence[TrialRecord],
    rows: Sequence[CaseSummary],
    skips: Sequence[Skip],
    left_s: float,
) -> str | None:
    """As the bench itself decided after the last of these records; None where it would have gone on."""
    settings = header["plan"]["settings"]
    refused = {skip.case.id for skip in skips if skip.reason != unreached(settings["budget_s"])}
    groups: dict[str, list[TrialRecord]] = {}
    for record in sorted(records, key=lambda record: record.launch):
        groups.setdefault(record.case.id, []).append(record)
    done = {record.trial for record in records}
    for item in header["plan"]["trials"]:
        trial = Trial(Case.from_json(item["case"]), item["launch"])
        if trial.id not in done and trial.case.id not in refused:
            own_s = [cost_s(record) for record in groups.get(trial.case.id, ())]
            return None if _fits(own_s or list(map(cost_s, records)), left_s) else allocation.SPENT
    standings = [standing(groups[row.case.id], half_width(row)) for row in rows if row.case.id not in refused]
    choice = allocation.choose(standings, settings["width"], left_s, random.Random(0))
    return choice.reason


def unreached(budget_s: float) -> str:
    """Why a case has no launch."""
    return f"the budget of {budget_s:g} s was spent before its first launch"


def _fits(costs_s: Sequence[float], left_s: float) -> bool:
    """Whether a launch like these is expected to end in time; one that is like no other is made."""
    return not costs_s or math.fsum(costs_s) / len(costs_s) <= left_s

"""Conditions of a gate: ``p50 > +5%``, ``accuracy < -0.5pp``, ``failed``.

A condition holds for a case where the evidence says so: the whole 95 % interval lies beyond the limit, also
when the number of cases is counted (Benjamini-Hochberg). A gate that fails on a point estimate fails honest
changes by chance; who wants that all the same asks for ``strict``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.compare.comparison import Compared, Comparison
from orchestrator.compare.judgement import INCOMPARABLE, Judged
from orchestrator.compare.metrics import BY_NAME, POINTS
from orchestrator.compare.moded import chance_beyond
from orchestrator.domain import InferometerError
from orchestrator.plan import known
from orchestrator.statistics.ratio import discoveries

FAILED = "failed"
_FORM = re.compile(r"(?P<metric>[a-z_0-9]+)\s*(?P<sign>[<>])\s*(?P<value>[+-]?[0-9.]+)\s*(?P<unit>%|pp)?")
_HOW = 'write it as "p50 > +5%", "accuracy < -0.5pp" or "failed"'


@dataclass(frozen=True)
class Condition:
    """``limit``: a share (0.05 is 5 % more), of an accuracy percentage points; None of ``failed``."""

    text: str
    metric: str
    above: bool = True
    limit: float | None = None


@dataclass(frozen=True)
class Answer:
    """What a condition says: where it holds, in how many cases that could be told, and why not elsewhere."""

    condition: Condition
    holds: tuple[Compared, ...]
    judged: int
    unjudged: tuple[tuple[Compared, str], ...]


def parse(text: str) -> Condition:
    """A condition from its words. Raises InferometerError naming what is wrong with it."""
    plain = text.strip().lower()
    if plain == FAILED:
        return Condition(text.strip(), FAILED)
    found = _FORM.fullmatch(plain)
    if not found:
        raise InferometerError(f"--fail-if {text!r} is no condition; {_HOW}")
    name, unit = found["metric"], found["unit"]
    known("metric of --fail-if", [name], [*BY_NAME, FAILED])
    try:
        value = float(found["value"])
    except ValueError:
        raise InferometerError(f"--fail-if {text!r}: {found['value']} is no number; {_HOW}") from None
    if not math.isfinite(value):
        raise InferometerError(f"--fail-if {text[:40]!r}...: that number is too large; {_HOW}")
    points = BY_NAME[name].unit == POINTS
    if points and unit != "pp":
        raise InferometerError(f'--fail-if {text!r}: accuracy differs in points; write "accuracy < -0.5pp"')
    if not points and unit == "pp":
        raise InferometerError(f'--fail-if {text!r}: only accuracy has pp; write "{name} > +5%"')
    if not points and value <= -100:
        raise InferometerError(f"--fail-if {text!r}: nothing can become less by 100 % or more; {_HOW}")
    return Condition(text.strip(), name, found["sign"] == ">", value if points else value / 100)


def ask(condition: Condition, comparison: Comparison, strict: bool = False) -> Answer:
    """The condition, asked of every pair; ``strict``: a point estimate beyond the limit suffices."""
    if condition.limit is None:
        worked = [case for case in comparison.cases if case.pair.a.summary.p50_ns is not None]
        return Answer(condition, tuple(case for case in worked if case.lost), len(worked), ())
    limit, told, unjudged = condition.limit, [], []
    for case in comparison.cases:
        figures = _of(case, condition.metric)
        if not figures:
            unjudged.append((case, f"{condition.metric} was measured on no side"))
        for judged in figures:
            found = _beyond(judged, condition.above, limit, strict)
            if isinstance(found, str):
                unjudged.append((case, found))
            else:
                told.append((case, found))
    stands = discoveries([chance for _, chance in told])
    holds = _once([case for (case, _), stays in zip(told, stands, strict=True) if stays])
    return Answer(condition, holds, len(_once([case for case, _ in told])), tuple(unjudged))


def _once(cases: Sequence[Compared]) -> tuple[Compared, ...]:
    """Each case once, though it has several energies."""
    return tuple({id(case): case for case in cases}.values())


def _of(case: Compared, metric: str) -> Sequence[Judged]:
    """All energies of a case, one each of all else."""
    return [judged for judged in case.metrics.values() if judged.metric.name == metric]


def _beyond(judged: Judged, above: bool, limit: float, strict: bool) -> float | str:
    """The chance that the limit is not passed (below 0.05: it is), or why that cannot be told."""
    if judged.points:
        value, low, high = judged.points
        end = value if strict else low if above else high
        return 0.0 if (end > limit if above else end < limit) else 1.0
    if strict and judged.a.value and judged.b.value is not None and not _hindered(judged):
        share = judged.b.value / judged.a.value - 1
        return 0.0 if (share > limit if above else share < limit) else 1.0
    if judged.verdict == INCOMPARABLE:
        return judged.remark or INCOMPARABLE
    if judged.ratio:
        return judged.ratio.chance(1 + limit, above)
    return chance_beyond(judged.a.launches, judged.b.launches, 1 + limit, above)  # modes


def _hindered(judged: Judged) -> bool:
    """Whether more than an interval is missing."""
    missing_interval = (judged.remark or "").startswith("no interval")
    return judged.verdict == INCOMPARABLE and not missing_interval


def exit_status(answers: Sequence[Answer]) -> int:
    """0: no condition holds; 1: some does; 125: none could be judged in any case (git bisect: skip)."""
    if any(answer.holds for answer in answers):
        return 1
    return 0 if not answers or any(answer.judged for answer in answers) else 125

"""All pairs of two sides, each metric judged, what hinders a comparison named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.compare import provenance
from orchestrator.compare.judgement import INCOMPARABLE, Judged, together
from orchestrator.compare.metrics import BY_NAME, P50, Figure
from orchestrator.compare.moded import judge as judge_pair
from orchestrator.compare.pairing import Pair, pairs
from orchestrator.compare.provenance import INVALID, OBSTACLES, SUBJECTS, Difference
from orchestrator.compare.side import Measured, Side, read, skipped
from orchestrator.plan import known

LEAST = 0.01  # a difference below this share is none that matters


@dataclass(frozen=True)
class Wish:
    """How to compare: the least share that matters; fields that may differ, and that must not."""

    least: float = LEAST
    allow: frozenset[str] = frozenset()
    same: frozenset[str] = frozenset()

    def check(self) -> None:
        """Raises InferometerError naming a field that is none, with the nearest."""
        known("field of --allow", sorted(self.allow), [*OBSTACLES, *SUBJECTS, INVALID])
        known("field of --same", sorted(self.same), [*OBSTACLES, *SUBJECTS])

    @property
    def obstacles(self) -> list[str]:
        """The fields in which a comparable pair must be equal."""
        return [
            name for name in (*OBSTACLES, *(n for n in SUBJECTS if n in self.same)) if name not in self.allow
        ]


@dataclass(frozen=True)
class Compared:
    """One pair with its judged metrics; the key of an energy has its scope: ``energy:rapl, package, ...``.

    ``obstacles`` are the reasons in words for which its speed and memory are not comparable; ``differing``
    is every field whose values differ, ``unknown`` every field that one side alone knows.
    """

    pair: Pair
    obstacles: tuple[str, ...]
    differing: tuple[Difference, ...]
    unknown: tuple[Difference, ...]
    metrics: Mapping[str, Judged]

    @property
    def p50(self) -> Judged:
        """The metric that gives the pair its verdict."""
        return self.metrics[P50]

    @property
    def lost(self) -> bool:
        """Whether the case worked in A and gave no figure in B."""
        return self.pair.a.summary.p50_ns is not None and self.pair.b.summary.p50_ns is None


@dataclass(frozen=True)
class Comparison:
    """Everything that printing needs."""

    a: Side
    b: Side
    wish: Wish
    cases: Sequence[Compared]
    only_a: Sequence[Measured] = field(default=())
    only_b: Sequence[Measured] = field(default=())


def compare(a: Path, b: Path, wish: Wish | None = None) -> Comparison:
    """Two results folders, summaries or merged files. Raises InferometerError where one cannot be read."""
    wish = wish or Wish()
    wish.check()
    return judge(read(a), read(b), wish)


def judge(a: Side, b: Side, wish: Wish) -> Comparison:
    """The same of two sides that were read."""
    lost = {
        name: skipped(measured, b.skips[name])
        for name, measured in a.cases.items()
        if name in b.skips and name not in b.cases
    }
    paired, only_a, only_b = pairs(a.cases, {**b.cases, **lost})
    cases = [_compared(pair, wish) for pair in paired]
    for name in sorted({name for case in cases for name in case.metrics}):
        having = [case for case in cases if name in case.metrics]
        kept = iter(together([case.metrics[name] for case in having]))
        cases = [
            case if name not in case.metrics else replace(case, metrics={**case.metrics, name: next(kept)})
            for case in cases
        ]
    return Comparison(a, b, wish, cases, only_a, only_b)


def _compared(pair: Pair, wish: Wish) -> Compared:
    a, b = pair.a, pair.b
    differing = provenance.differences(a.provenance, b.provenance, [*OBSTACLES, *SUBJECTS])
    obstacles = [one.words() for one in differing if one.field in wish.obstacles]
    if INVALID not in wish.allow:
        for side, measured in (("A", a), ("B", b)):
            reason = provenance.invalid(measured.summary)
            obstacles += [f"invalid in {side}: {reason}"] if reason else []
    metrics = {}
    for name in sorted(a.figures.keys() | b.figures.keys()):
        metrics[name] = _judged(name, a, b, "; ".join(obstacles), wish.least)
    unknown = provenance.unknown(a.provenance, b.provenance)
    return Compared(pair, tuple(obstacles), tuple(differing), tuple(unknown), metrics)


def _judged(name: str, a: Measured, b: Measured, obstacles: str, least: float) -> Judged:
    metric = BY_NAME[name.partition(":")[0]]
    mine, theirs = (_figure(side, name, side.figures) for side in (a, b))
    if obstacles and not metric.exact:
        return Judged(metric, mine, theirs, INCOMPARABLE, obstacles)
    return judge_pair(metric, mine, theirs, least)


def _figure(side: Measured, name: str, figures: Mapping[str, Figure]) -> Figure:
    """Where a case failed, its failure is the reason for all that is missing."""
    found = figures.get(name)
    if found is None:
        scopes = [figure.scope for key, figure in figures.items() if key.startswith("energy:")]
        told = (
            f"other sources there: {'; '.join(filter(None, scopes))}"
            if scopes
            else "no power source was read"
        )
        return Figure(None, told)
    failure = side.summary.failure
    return Figure(None, f"failed: {failure}") if failure and found.value is None else found

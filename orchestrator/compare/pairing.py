"""Which case of A belongs to which of B."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.compare.side import Measured
from orchestrator.domain import Case


@dataclass(frozen=True)
class Pair:
    """The same case on both sides."""

    a: Measured
    b: Measured


# Where a case has no equal, its nearest: the difference is then named as what hinders the comparison, which
# tells more than two lists of cases that are alone. Only where there is one such case on both sides.
_NEAREST: Sequence[Callable[[Case], Case]] = (
    lambda case: case,
    lambda case: replace(case, device=""),
    lambda case: replace(case, threads=0),
    lambda case: replace(case, device="", threads=0),
)


def pairs(
    a: Mapping[str, Measured], b: Mapping[str, Measured]
) -> tuple[list[Pair], list[Measured], list[Measured]]:
    """The pairs in the order of B's ids, and what is in A or in B alone."""
    left, right, found = dict(a), dict(b), list[Pair]()
    for blur in _NEAREST:
        mine, theirs = _alone(left, blur), _alone(right, blur)
        for key in mine.keys() & theirs.keys():
            found.append(Pair(left.pop(mine[key]), right.pop(theirs[key])))
    ordered = sorted(found, key=lambda pair: pair.b.case.id)
    return ordered, list(left.values()), list(right.values())


def _alone(cases: Mapping[str, Measured], blur: Callable[[Case], Case]) -> dict[Case, str]:
    """Blurred cases that one case alone gives, with its id."""
    found: dict[Case, list[str]] = {}
    for name, measured in cases.items():
        found.setdefault(blur(measured.case), []).append(name)
    return {case: names[0] for case, names in found.items() if len(names) == 1}

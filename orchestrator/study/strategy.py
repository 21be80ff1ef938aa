"""Which technique for a low-, mid- or high-end service, computed from what was measured.

The paper ends with such a strategy in words (Lee, Lee, Lee 2022, section 4.3): a low-end service has little
memory and time enough, a mid-end service needs everything in measure, a high-end one needs speed and
accuracy. Here each class is a budget that the measured variants of one network in one runtime set
themselves: their terciles of file size and of latency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.statistics.quantiles import quantile
from orchestrator.study.limits import Candidate

MOST_DROP_POINTS = 1.0
RULE = (
    "Of the variants of one network in one runtime that lose at most {drop:g} points against nq: low-end, "
    "the smallest file (deflated) among those within the lowest third of sizes; mid-end, the least size x "
    "latency among those within two thirds of both; high-end, the fastest within the lowest third of "
    "latencies."
)


@dataclass(frozen=True)
class Choice:
    """The technique of a class for one network in one runtime; None with the reason."""

    service: str  # low-end | mid-end | high-end
    model: str
    runtime: str
    device: str
    variant: str | None
    reason: str | None


def rule(drop_points: float | None) -> str:
    """The rule in one paragraph."""
    return RULE.format(drop=_most(drop_points))


def choose(candidates: Sequence[Candidate], drop_points: float | None = None) -> list[Choice]:
    """Three choices a network, runtime and device, in the order they come."""
    groups: dict[tuple[str, str, str], list[Candidate]] = {}
    for one in candidates:
        if one.why is None and one.latency_ns is not None and one.bytes is not None:
            groups.setdefault((one.model, one.runtime, one.device), []).append(one)
    return [choice for group in groups.values() for choice in _classes(group, _most(drop_points))]


def counted(choices: Sequence[Choice]) -> list[str]:
    """``low-end: prq (5 of 7), fiq (2 of 7)``, one line a class."""
    lines = []
    for service in dict.fromkeys(choice.service for choice in choices):
        of_class = [choice.variant for choice in choices if choice.service == service]
        most = Counter(name or "none" for name in of_class).most_common()
        lines.append(f"{service}: " + ", ".join(f"{name} ({n} of {len(of_class)})" for name, n in most))
    return lines


def _most(drop_points: float | None) -> float:
    return MOST_DROP_POINTS if drop_points is None else drop_points


def _size(one: Candidate) -> float:
    size = one.deflated_bytes if one.deflated_bytes is not None else one.bytes
    assert size is not None
    return float(size)


def _latency(one: Candidate) -> float:
    assert one.latency_ns is not None
    return one.latency_ns


def _classes(group: Sequence[Candidate], most: float) -> list[Choice]:
    sizes, latencies = sorted(map(_size, group)), sorted(map(_latency, group))
    third, two_thirds = ([quantile(v, share) for v in (sizes, latencies)] for share in (1 / 3, 2 / 3))
    budgets: list[tuple[str, Callable[[Candidate], bool], Callable[[Candidate], float]]] = [
        ("low-end", lambda one: _size(one) <= third[0], _size),
        (
            "mid-end",
            lambda one: _size(one) <= two_thirds[0] and _latency(one) <= two_thirds[1],
            lambda one: _size(one) * _latency(one),
        ),
        ("high-end", lambda one: _latency(one) <= third[1], _latency),
    ]
    return [_choice(service, group, fits, cost, most) for service, fits, cost in budgets]


def _choice(
    service: str,
    group: Sequence[Candidate],
    fits: Callable[[Candidate], bool],
    cost: Callable[[Candidate], float],
    most: float,
) -> Choice:
    within = [one for one in group if fits(one)]
    good = [one for one in within if one.drop_points is not None and one.drop_points <= most]
    first = group[0]
    where = (service, first.model, first.runtime, first.device)
    if good:
        return Choice(*where, min(good, key=cost).variant, None)
    known = [one for one in within if one.drop_points is not None]
    if not known:
        return Choice(*where, None, "no variant within its budget has an accuracy and one of nq beside it")
    least = min(known, key=lambda one: (one.drop_points or 0.0, cost(one)))
    reason = f"every variant within its budget loses more than {most:g} points; {least.variant} least"
    return Choice(*where, None, f"{reason}: {least.drop_points:.2g}")

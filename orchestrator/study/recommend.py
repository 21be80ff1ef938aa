"""Who qualifies under a user's limits, why others do not, the Pareto set and the strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.plan import known
from orchestrator.study import strategy
from orchestrator.study.limits import Candidate, Limits, Miss, misses
from orchestrator.study.pareto import pareto


@dataclass(frozen=True)
class Advice:
    """The answer; ``refused`` has each one's first failed limit, ``nearest`` the least miss if none fits."""

    qualifying: tuple[Candidate, ...]
    refused: tuple[tuple[Candidate, Miss], ...]
    pareto: tuple[Candidate, ...]
    incomparable: tuple[Candidate, ...]  # lack one of the three figures
    nearest: tuple[Candidate, Miss] | None
    choices: tuple[strategy.Choice, ...]


def advise(candidates: Sequence[Candidate], limits: Limits, runtime: str | None = None) -> Advice:
    """Judge every candidate. Raises InferometerError for a runtime that nothing was measured in."""
    if runtime:
        names = sorted(
            {one.runtime for one in candidates} | {one.runtime.split(" ")[0] for one in candidates}
        )
        known("measured runtime", [runtime], names)
        candidates = [one for one in candidates if runtime in (one.runtime, one.runtime.split(" ")[0])]
    judged = [(one, misses(one, limits)) for one in candidates]
    good = [one for one, failed in judged if not failed]
    refused = [(one, failed[0]) for one, failed in judged if failed]
    costs = [(one, costs) for one in candidates if (costs := _costs(one))]
    nearest = None
    if not good and judged:
        one, failed = min(judged, key=lambda item: max(miss.excess for miss in item[1]))
        nearest = one, max(failed, key=lambda miss: miss.excess)
    return Advice(
        tuple(sorted(good, key=lambda one: (one.latency_ns or float("inf"), one.name))),
        tuple(refused),
        tuple(pareto(costs)),
        tuple(one for one in candidates if not _costs(one)),
        nearest,
        tuple(strategy.choose(candidates, limits.drop_points)),
    )


def _costs(one: Candidate) -> tuple[float, float, float] | None:
    """(1 - accuracy, bytes, latency): lower is better; None where one is unknown or the case failed."""
    if one.why or one.accuracy is None or one.bytes is None or one.latency_ns is None:
        return None
    return 1 - one.accuracy, float(one.bytes), one.latency_ns


def to_json(advice: Advice, limits: Limits) -> dict[str, Any]:
    """For programs; an infinite excess is null."""

    def miss(one: Candidate, why: Miss) -> dict[str, Any]:
        excess = None if why.excess == float("inf") else why.excess
        return {**asdict(one), "miss": why.text, "excess": excess}

    return {
        "limits": asdict(limits),
        "qualifying": [asdict(one) for one in advice.qualifying],
        "refused": [miss(*pair) for pair in advice.refused],
        "pareto": [asdict(one) for one in advice.pareto],
        "incomparable": [asdict(one) for one in advice.incomparable],
        "nearest": miss(*advice.nearest) if advice.nearest else None,
        "strategy": [asdict(choice) for choice in advice.choices],
        "rule": strategy.rule(limits.drop_points),
    }


def lines(advice: Advice, limits: Limits) -> list[str]:
    """For people: who qualifies, the Pareto set, why others do not, the strategy."""
    found = [f"Qualify: {len(advice.qualifying)}"]
    found += [f"  {_figures(one, limits)}" for one in advice.qualifying]
    if advice.nearest:
        one, why = advice.nearest
        found.append(f"Nearest miss: {one.name}: {why.text}")
    found += ["", "Pareto set over accuracy, size and latency (of everything measured):"]
    found += [f"  {_figures(one, limits)}" for one in advice.pareto] or ["  empty: nothing has all three"]
    if advice.incomparable:
        found.append(f"  {len(advice.incomparable)} cases lack one of the three figures and are left out")
    if advice.refused:
        found += ["", f"Do not qualify: {len(advice.refused)}"]
        found += [f"  {one.name}: {why.text}" for one, why in advice.refused]
    found += ["", "Strategy by service:", *(f"  {line}" for line in strategy.counted(advice.choices))]
    found += [
        f"  {one.service} {one.model} in {one.runtime}: {one.variant or f'none: {one.reason}'}"
        for one in advice.choices
    ]
    return [*found, "", f"Rule: {strategy.rule(limits.drop_points)}"]


def _figures(one: Candidate, limits: Limits) -> str:
    words = []
    if one.accuracy is not None:
        words.append(f"accuracy {one.accuracy:.1%}")
    if one.drop_points is not None:
        words.append(f"drop {one.drop_points:.2g} points")
    if one.bytes is not None:
        words.append(f"{one.bytes / 1e6:.3g} MB")
    if one.latency_ns is not None:
        words.append(f"{one.latency_ns / 1e6:.3g} ms")
    if limits.latency_ns and one.latency_high_ns and one.latency_high_ns > limits.latency_ns:
        words.append("the limit lies inside its 95 % interval")
    return f"{one.name} on {one.device}: {', '.join(words)}"

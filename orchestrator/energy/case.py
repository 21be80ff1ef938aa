"""All launches of a case become one energy figure a source."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.domain import CaseEnergy, Energy, Status, TrialRecord
from orchestrator.statistics.student import mean_interval

_NO_INTERVAL = (None, None)


def case_energy(records: Iterable[TrialRecord]) -> tuple[CaseEnergy, ...]:
    """Joules per inference over the launches with status ok: their mean and the interval between them.

    Every launch weighs the same. The interval is Student's t over the launches' figures, from three on:
    what one launch's readings leave unsure differs from launch to launch and is therefore in it, but for a
    gain error that they share. Sources keep the order they first appear in; different scopes, or methods of
    one name, stay apart. A launch without a figure is not in it, and ``launches`` tells how many are.
    """
    groups: dict[tuple[str, str, str], list[Energy]] = {}
    for record in records:
        for energy in record.energy if record.status is Status.OK else ():
            groups.setdefault((energy.source, energy.scope, energy.method), []).append(energy)
    return tuple(_case(*key, figures) for key, figures in groups.items())


def _case(source: str, scope: str, method: str, figures: Sequence[Energy]) -> CaseEnergy:
    held = [figure for figure in figures if figure.gross_per_inference_j is not None]
    gross = _values(figure.gross_per_inference_j for figure in figures)
    net = _values(figure.net_per_inference_j for figure in figures)
    powers = _values(figure.mean_w for figure in held)
    idles = _values(figure.idle_w for figure in held)
    interval, net_interval = mean_interval(gross), mean_interval(net)
    gross_low_j, gross_high_j = _NO_INTERVAL if isinstance(interval, str) else interval
    net_low_j, net_high_j = _NO_INTERVAL if isinstance(net_interval, str) else net_interval
    return CaseEnergy(
        source,
        scope,
        method,
        launches=len(held),
        gross_per_inference_j=_mean(gross),
        gross_low_j=gross_low_j,
        gross_high_j=gross_high_j,
        net_per_inference_j=_mean(net),
        net_low_j=net_low_j,
        net_high_j=net_high_j,
        mean_w=_mean(powers),
        idle_w=_mean(idles),
        rate_hz=min(_values(figure.rate_hz for figure in held), default=None),
        coverage=min((figure.coverage for figure in held), default=None),
        uncertainty=max(_values(map(_relative, held)), default=None),
        calibrated=bool(held) and all(figure.calibrated for figure in held),
        reason=None if gross else _reason(figure.reason for figure in figures),
        net_reason=None if net else _reason(figure.net_reason for figure in figures),
        interval_reason=interval if isinstance(interval, str) and gross else None,
    )


def _values(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _relative(figure: Energy) -> float | None:
    if figure.uncertainty_j is None or not figure.gross_j:
        return None
    return figure.uncertainty_j / abs(figure.gross_j)


def _reason(reasons: Iterable[str | None]) -> str | None:
    """The most frequent one; of equally frequent ones the first."""
    counted = Counter(reason for reason in reasons if reason)
    return counted.most_common(1)[0][0] if counted else None

"""A run beside its reproduction: the ratio of each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from orchestrator.domain import Case, CaseSummary, Interval
from orchestrator.merge import case_summary


@dataclass(frozen=True)
class Pair:
    """One case then and now; times in ns. ``overlap``: whether the 95 % intervals share a value."""

    case: str
    then_ns: float | None
    then_interval: Interval | None
    now_ns: float | None
    now_interval: Interval | None
    ratio: float | None  # now / then; None where a side has no figure
    overlap: bool | None  # None where a side has no interval

    def to_json(self) -> dict[str, Any]:
        """As ``inferometer reproduce --json`` prints it."""
        return asdict(self)


def pairs(then: Mapping[str, Any], now: Mapping[str, Any], device: str) -> list[Pair]:
    """Every case of the original with its reproduction, which may be on another ``device``."""
    again = {(row := case_summary(item)).case.id: row for item in now["cases"]}
    found = []
    for item in then["cases"]:
        row = case_summary(item)
        same: Case = replace(row.case, device=device)
        found.append(_pair(row, again.get(same.id)))
    return found


def _pair(then: CaseSummary, now: CaseSummary | None) -> Pair:
    p50_ns, interval = (now.p50_ns, now.interval) if now else (None, None)
    both = then.p50_ns is not None and p50_ns is not None
    overlap = None
    if then.interval and interval:
        overlap = then.interval.low_ns <= interval.high_ns and interval.low_ns <= then.interval.high_ns
    ratio = p50_ns / then.p50_ns if both and p50_ns and then.p50_ns else None
    return Pair(then.case.id, then.p50_ns, then.interval, p50_ns, interval, ratio, overlap)

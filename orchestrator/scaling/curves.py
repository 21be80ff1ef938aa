"""How latency and throughput change with threads and with the batch, and where more stops paying.

Speed-up, efficiency and knee are of median latencies, which have intervals; ``rate_hz`` beside them is the
table's (batch over mean latency).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.domain import Case
from orchestrator.statistics.quotient import Estimate, quotient

KINDS = ("threads", "batch")
NEAR = 0.95  # of the best throughput: from there on more of it hardly pays

Row = Mapping[str, Any]  # a case of a summary document


def curves(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every curve of two points or more over threads and over the batch, of rows that differ in nothing else.

    Each is ``{"kind", "case" (without the varied field), "points", "knee", "reason"}``; a point is ``{"x",
    "case_id", "p50_ns", "rate_hz", "speed_up", "efficiency"}``: how many times the inputs per second of the
    first point, and that over how many times its threads (None over batches). ``knee``: the smallest x whose
    throughput is within 5 % of the best, or None with the reason. Emulated rows have no speed, so no curve.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not row["emulated"]:
            for kind in KINDS:
                rest = {name: value for name, value in row["case"].items() if name != kind}
                found.setdefault((kind, json.dumps(rest, sort_keys=True)), []).append(row)
    made = [_curve(kind, json.loads(rest), same) for (kind, rest), same in sorted(found.items())]
    return [curve for curve in made if len(curve["points"]) > 1]


def per_input(row: Row) -> Estimate | None:
    """The median latency of one input (ns) with its interval; None where either is unknown."""
    interval, batch = row["interval"], row["case"]["batch"]
    if row["p50_ns"] is None or interval is None:
        return None
    return Estimate(row["p50_ns"] / batch, interval["low_ns"] / batch, interval["high_ns"] / batch)


def _curve(kind: str, case: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: int(row["case"][kind]))
    good = [row for row in ordered if row["p50_ns"]]
    failed = [row["case"][kind] for row in ordered if not row["p50_ns"]]
    knee, reason = _knee(kind, good) if len(good) > 1 else (None, None)
    if failed:
        gone = f"{kind} {', '.join(map(str, failed))} gave no figure"
        reason = f"{reason}; {gone}" if reason else gone
    return {
        "kind": kind,
        "case": dict(case),
        "points": [_point(kind, row, good[0]) for row in good],
        "knee": knee,
        "reason": reason,
    }


def _point(kind: str, row: Row, first: Row) -> dict[str, Any]:
    speed_up = _rate(row) / _rate(first)
    times = row["case"][kind] / first["case"][kind]
    return {
        "x": row["case"][kind],
        "case_id": Case.from_json(row["case"]).id,
        "p50_ns": row["p50_ns"],
        "rate_hz": row["rate_hz"],
        "speed_up": speed_up,
        "efficiency": speed_up / times if kind == "threads" else None,
    }


def _rate(row: Row) -> float:
    """Inputs per second at the median latency."""
    return float(row["case"]["batch"] * 1e9 / row["p50_ns"])


def _knee(kind: str, rows: Sequence[Row]) -> tuple[int | None, str | None]:
    """The knee of at least two rows in order, or why there is none."""
    best = max(rows, key=_rate)
    near = [row for row in rows if _rate(row) >= NEAR * _rate(best)]
    first, last = near[0], rows[-1]
    x = int(first["case"][kind])
    if first is last:
        return None, f"throughput still rises at {kind} {x}, the most that was measured"
    # How many times this one's latency the others have: that many times their throughput it has.
    others = [row for row in rows if row["case"][kind] > x]
    ratios = [_ratio(other, first) for other in others]
    lows = [ratio.low for ratio in ratios if ratio]
    if len(lows) < len(others):
        return None, f"{kind} {x} comes within 5 % of the best, but not every point has an interval"
    if min(lows) < NEAR:
        return None, f"{kind} {x} comes within 5 % of the best, but the intervals allow {min(lows):.0%} of it"
    return x, None


def _ratio(top: Row, bottom: Row) -> Estimate | None:
    first, second = per_input(top), per_input(bottom)
    return quotient(first, second) if first and second else None

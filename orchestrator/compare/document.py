"""A comparison as JSON: every number unrounded, unknown is null with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.compare.comparison import Compared, Comparison
from orchestrator.compare.condition import Answer
from orchestrator.compare.judgement import Judged
from orchestrator.compare.side import Measured, Side
from orchestrator.compare.words import headline

SCHEMA = 1


def to_json(comparison: Comparison, answers: Sequence[Answer], status: int) -> dict[str, Any]:
    """The whole; ``exit_status`` is what the command ends with."""
    return {
        "schema": SCHEMA,
        "headline": headline(comparison),
        "a": _side(comparison.a),
        "b": _side(comparison.b),
        "least": comparison.wish.least,
        "allow": sorted(comparison.wish.allow),
        "same": sorted(comparison.wish.same),
        "cases": [_case(case) for case in comparison.cases],
        "only_in_a": [_alone(measured) for measured in comparison.only_a],
        "only_in_b": [_alone(measured) for measured in comparison.only_b],
        "conditions": [_answer(answer) for answer in answers],
        "exit_status": status,
    }


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "runs": [run.get("name") for run in side.runs]}


def _case(case: Compared) -> dict[str, Any]:
    return {
        "case_a": case.pair.a.case.to_json(),
        "case_b": case.pair.b.case.to_json(),
        "verdict": case.p50.verdict,
        "remark": case.p50.remark,
        "obstacles": list(case.obstacles),
        "differing": [asdict(one) for one in case.differing],
        "unknown": [asdict(one) for one in case.unknown],
        "metrics": {name: _metric(judged) for name, judged in case.metrics.items()},
    }


def _metric(judged: Judged) -> dict[str, Any]:
    ratio, points = judged.ratio, judged.points
    return {
        "unit": judged.metric.unit,
        "a": judged.a.value,
        "b": judged.b.value,
        "launches_a": list(judged.a.launches),
        "launches_b": list(judged.b.launches),
        "ratio": ratio and {"value": ratio.value, "low": ratio.low, "high": ratio.high},
        "points": points and dict(zip(("value", "low", "high"), points, strict=True)),
        "mann_whitney_p": judged.rank_p,
        "p": judged.chance,
        "verdict": judged.verdict,
        "remark": judged.remark,
    }


def _alone(measured: Measured) -> dict[str, Any]:
    return {"case": measured.case.to_json(), "failure": measured.summary.failure}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "condition": answer.condition.text,
        "holds": [case.pair.b.case.id for case in answer.holds],
        "judged": answer.judged,
        "unjudged": [{"case": case.pair.b.case.id, "reason": reason} for case, reason in answer.unjudged],
    }

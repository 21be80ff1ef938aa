"""A long window shows what heat does: there it is the result and no fault of the measurement."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain import Finding, Severity
from orchestrator.findings.codes import Code

_RESULT = {Code.THROTTLED.code, Code.CLOCK_DROP.code}
_COURSE = {Code.TREND.code, Code.WARMUP_IN_WINDOW.code, Code.AUTOCORRELATED.code}
_ADVICE = "This is what a sustained load does to this board: read it beside the curve."


def of_sustained(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of a launch whose one window was asked to be long.

    What heat and power limits did becomes a note. What its course shows is left out: the curve says it
    minute by minute.
    All else stays: a weak supply, a hot start and other programs spoil a curve as they spoil a figure.
    """
    return tuple(
        Finding(one.code, Severity.NOTE, one.message, _ADVICE) if one.code in _RESULT else one
        for one in found
        if one.code not in _COURSE
    )

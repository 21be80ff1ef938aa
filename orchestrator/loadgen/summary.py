"""The text of ``mlperf_log_summary.txt`` as figures. Pure.

LoadGen writes it in ``PerformanceSummary::LogSummary``; two forms of percentiles are known ("90th" up to
version 4, "90.0th" since).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RULER = re.compile(r"^=+$", re.MULTILINE)
_LATENCY = re.compile(r"^(\d+(?:\.\d+)?th percentile latency) \(ns\) *: *(\d{1,18})$", re.MULTILINE)
_RATE = re.compile(r"^(Samples per second) *: *(\d{1,15}(?:\.\d{1,15})?(?:e[+-]?\d{1,2})?)$", re.MULTILINE)
_RESULT = re.compile(r"^Result is *: *(VALID|INVALID)\b", re.MULTILINE)
_SCENARIO = re.compile(r"^Scenario *: *(\w+)", re.MULTILINE)
_UNMET = re.compile(r"^ *(.*\S) satisfied *: *NO$", re.MULTILINE)
_ESTIMATE = re.compile(r"Early stopping \d+(?:\.\d+)?th percentile estimate: (\d{1,18})$", re.MULTILINE)
# What early stopping counted is no reason where it was satisfied.
_COUNTED = re.compile(
    r"^ *Early stopping satisfied *: *Yes$.*?^(Early Stopping Result:$.*)", re.MULTILINE | re.DOTALL
)
_ADVICE = re.compile(r"^ \* (.*(?:\n (?!\*).*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Summary:
    """What the head of a summary says; None where it does not."""

    scenario: str | None
    verdict: str | None
    metric: str | None
    value_ns: float | None
    value_per_s: float | None
    early_stopping_ns: float | None
    reasons: tuple[str, ...]


def parse(text: str) -> Summary:
    """Read a summary, or as much of one as there is; never fails."""
    parts = _RULER.split(text)
    head = parts[2] if len(parts) > 2 else ""  # below the title, above the additional statistics
    latency, rate, estimate = _LATENCY.search(head), _RATE.search(head), _ESTIMATE.search(head)
    verdict = _first(_RESULT, head)
    reasons: list[str] = []
    if verdict == "INVALID":
        reasons = [f"not satisfied: {name.lower()}" for name in _UNMET.findall(head)]
        counted = _COUNTED.search(head)
        advice = head[: counted.start(1)] if counted else head
        reasons += [" ".join(words.split()) for words in _ADVICE.findall(advice)]
    figure = latency or rate
    return Summary(
        _first(_SCENARIO, head),
        verdict,
        figure[1] if figure else None,
        float(latency[2]) if latency else None,
        float(rate[2]) if rate and not latency else None,
        float(estimate[1]) if estimate else None,
        tuple(reasons),
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None

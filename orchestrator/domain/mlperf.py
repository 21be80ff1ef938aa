"""What MLPerf's LoadGen says of a case, beside our own figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class MlperfResult:
    """LoadGen's verdict on one launch that it drove; its own words, and its own settings.

    ``metric`` names the figure as LoadGen does: a percentile of latency (``value_ns``) or samples per second
    (``value_per_s``). ``early_stopping_ns``: LoadGen's estimate of that percentile for so few queries, which
    is what MLPerf's rules have submitted. All are None where ``reason`` says why there is no verdict.
    """

    scenario: str
    verdict: str | None = None  # VALID or INVALID
    metric: str | None = None
    value_ns: float | None = None
    value_per_s: float | None = None
    early_stopping_ns: float | None = None
    reasons: tuple[str, ...] = ()  # LoadGen's, why it is INVALID
    settings: Mapping[str, float] = field(default_factory=dict)  # as LoadGen names them
    version: str | None = None
    p50_ns: float | None = None  # of our own clock around each inference of the same launch
    reason: str | None = None

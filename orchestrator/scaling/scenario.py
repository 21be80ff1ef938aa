"""Three ways in which inputs arrive, after MLPerf Inference (inference_policies, inference_rules.adoc).

single-stream: one input at a time, as soon as the last is done. offline: all inputs are there, so batches
as large as pay; what counts is inputs per second. multi-stream: queries of several inputs (MLPerf's have
8), each one inference of that batch here; what counts is the 99th percentile of a query's latency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from orchestrator.domain import InferometerError
from orchestrator.statistics.percentiles import percentile_floor

SINGLE_STREAM, OFFLINE, MULTI_STREAM = SCENARIOS = ("single-stream", "offline", "multi-stream")
OFFLINE_BATCHES = (1, 2, 4, 8, 16, 32)
STREAMS = 8


@dataclass(frozen=True)
class Scenario:
    """A scenario by name (None: batches as they were given) and the batches it measures."""

    name: str | None
    batches: tuple[int, ...]


def scenario_of(asked: str | None, batches: tuple[int, ...], streams: int | None) -> Scenario:
    """What was asked for; ``batches`` are empty where none were given.

    Raises InferometerError where two wishes contradict each other.
    """
    if streams is not None and asked != MULTI_STREAM:
        raise InferometerError(f"--streams is for --scenario {MULTI_STREAM}; leave it out, or name that")
    if asked == MULTI_STREAM:
        if batches:
            raise InferometerError("--batch: a multi-stream query has --streams inputs; leave --batch out")
        return Scenario(asked, (streams or STREAMS,))
    if asked == OFFLINE:
        return Scenario(asked, batches or OFFLINE_BATCHES)
    if batches in ((), (1,)):
        return Scenario(SINGLE_STREAM, batches)
    if asked == SINGLE_STREAM:
        raise InferometerError(f"--batch: single-stream has batch 1; name --scenario {OFFLINE} for others")
    return Scenario(None, batches)


def least_queries(launches: int) -> int:
    """Iterations of each launch that make enough for a 99th percentile of all of them together."""
    return math.ceil(percentile_floor(0.99) / launches)

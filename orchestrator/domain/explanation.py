"""How a case was executed, and what its figures show: notes with their evidence, a place under a roof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Execution:
    """What a case's runner and its file say of the computation; unknown is None or empty."""

    nodes: Mapping[str, int | None] = field(default_factory=dict)  # by the place that executed them
    operators: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # place -> kind -> nodes
    compute: Mapping[str, int] = field(default_factory=dict)  # the file's operators by type of number
    float_fallback: Mapping[str, int] = field(default_factory=dict)  # kind -> those left in float32
    input_bytes: int | None = None  # of one inference: all inputs of a batch
    output_bytes: int | None = None
    cores: int | None = None  # that the runner was kept on: fewest over launches
    harness_p50_ns: float | None = None  # the timed loop around nothing: highest over launches


@dataclass(frozen=True)
class Note:
    """One plain sentence on a row, and the figures and names it rests on (never none)."""

    code: str
    text: str
    evidence: Mapping[str, float | str]


@dataclass(frozen=True)
class Roofline:
    """A row under its machine's roof (Williams, Waterman and Patterson 2009, CACM 52(4)).

    ``flop_per_s``: 2 x multiply-accumulates x batch over the median latency. The intensity counts what must
    be moved at least (the file once, inputs and outputs), so it and the limit are upper bounds.
    """

    flop_per_s: float | None = None
    intensity_flop_per_byte: float | None = None
    limit_flop_per_s: float | None = None  # min(measured peak, intensity x measured bandwidth)
    share: float | None = None  # flop_per_s / limit_flop_per_s
    bound: str | None = None  # memory | compute: which of the two the limit is
    peak: str | None = None  # numbers of the measured peak: fp32, also for rows that compute in int8
    reason: str | None = None  # why a figure is None

"""How a case held its speed over one long window, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Minute:
    """One minute of the window; the last may be shorter. None: nothing was read, or no inference began."""

    minute: int  # from 1
    duration_ns: int
    iterations: int
    p50_ns: float | None
    clock_hz: float | None  # mean
    mean_c: float | None
    max_c: float | None


@dataclass(frozen=True)
class PowerCourse:
    """Mean W by one power source in each minute, in their order; ``reason``: why the first None is one."""

    source: str
    scope: str
    method: str
    mean_w: tuple[float | None, ...]
    reason: str | None = None


@dataclass(frozen=True)
class Sustained:
    """The curve; ``ratio`` of its last full minute's median to its first's, or None with the ``reason``."""

    minutes: tuple[Minute, ...]
    ratio: float | None
    first_minute: int | None  # the two that the ratio compares
    last_minute: int | None
    clock_source: str | None
    temperature_source: str | None
    reason: str | None = None
    clock_reason: str | None = None  # why there is no clock_source
    temperature_reason: str | None = None
    cut: str | None = None  # why the window is shorter than it was asked to be
    power: tuple[PowerCourse, ...] = ()

    def at(self, minute: int | None) -> Minute | None:
        """The minute of this number."""
        return self.minutes[minute - 1] if minute else None

"""One launch's energy: a figure for each source, or the reason there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.domain import Energy
from orchestrator.energy import uncertainty
from orchestrator.energy.integral import difference, trapezoid
from orchestrator.energy.requirement import LEAST_IDLE_READINGS, LEAST_READINGS, family_of
from orchestrator.energy.series import JOULES, Line, Series, power_sources, series_of
from orchestrator.energy.stretch import ADVICE, Stretch, Window, stretch

SURE = 1.96  # of a normal distribution, the two-sided 95 % point


@dataclass(frozen=True)
class Windows:
    """The launch's own marks, ns of the readings' clock; None for what was not reached or not closed.

    Both idle windows are with the model loaded and nothing running, before and after ``measure``.
    ``asked_ns``: how long ``measure`` was to be; it is shorter where the most inferences were made before.
    """

    measure: Window | None
    idle: Window | None = None
    idle_after: Window | None = None
    asked_ns: int = 0


@dataclass(frozen=True)
class _Level:
    """Idle power of one window, with its standard uncertainty; ``rounding_w`` may be the same in both."""

    watts: float
    noise_w: float
    rounding_w: float


def energy_of(lines: Iterable[Line], windows: Windows, iterations: int) -> tuple[Energy, ...]:
    """Joules of the measure window by every source of power or energy among the telemetry's lines.

    ``lines`` are those of ``telemetry.jsonl``, their clock being the windows' own (``measurement.align``);
    ``iterations`` the inferences inside the measure window. Sources come in the order they first appear and
    are never added up: their scopes overlap.
    """
    return tuple(
        _figure(series_of(readings), windows, iterations) for readings in power_sources(lines).values()
    )


def _figure(series: Series, windows: Windows, iterations: int) -> Energy:
    window = windows.measure or (0, 0)
    family = family_of(series.source)
    found = stretch(series, window, LEAST_READINGS, family.least_ns)
    empty = Energy(
        source=series.source,
        scope=series.scope,
        method=series.method,
        window_ns=window[1] - window[0],
        count=found.count,
        rate_hz=found.rate_hz,
        coverage=found.coverage,
        max_gap_ns=found.max_gap_ns,
        calibrated=family.gain is not None,
    )
    reason = found.reason
    if windows.measure is None:
        reason = "the window was not reached or not closed"
    elif iterations < 1:
        reason = "no inference ended inside the window"
    elif reason and reason.endswith(ADVICE) and windows.asked_ns > max(empty.window_ns, family.least_ns - 1):
        reason = (
            f"window {empty.window_ns / 1e9:.3g} s of {windows.asked_ns / 1e9:g} s: "
            f"ended at {iterations} inferences; use a larger BATCH"
        )
    if reason:
        return replace(empty, reason=reason, net_reason=reason)
    joules, spread_j = _gross(series, found, window)
    gain = family.gain or 0.0
    gross = replace(
        empty,
        gross_j=joules,
        uncertainty_j=math.hypot(gain * joules, spread_j),
        gross_per_inference_j=joules / iterations,
        mean_w=joules * 1e9 / empty.window_ns,
    )
    return _net(gross, series, windows, iterations, gain, spread_j)


def _gross(series: Series, found: Stretch, window: Window) -> tuple[float, float]:
    """J of the window and the standard uncertainty that is not the gain's."""
    times_s = [(time_ns - window[0]) / 1e9 for time_ns in series.times_ns[found.used]]
    values = series.values[found.used]
    end_s = (window[1] - window[0]) / 1e9
    lag_s = _lag_s(series, found)
    if series.unit == JOULES:
        step_j = uncertainty.counter_step(series.values)
        return (
            difference(times_s, values, 0.0, end_s),
            uncertainty.counter_edge_j(times_s, values, 0.0, end_s, lag_s, step_j),
        )
    # Only readings inside tell how power moves there: that it jumps at the edges is the edges' own term.
    inside = series.between(*window)
    update_s = family_of(series.source).update_ns / 1e9
    return trapezoid(times_s, values, 0.0, end_s), math.hypot(
        uncertainty.sampling_j(
            [time_ns / 1e9 for time_ns in series.times_ns[inside]], series.values[inside], update_s
        ),
        end_s * uncertainty.rounding_w(values, uncertainty.least_step(series.values)),
        uncertainty.power_edge_j(times_s, values, 0.0),
        uncertainty.power_edge_j(times_s, values, end_s),
        uncertainty.power_lag_j(series.values[found.used.start : inside.stop], lag_s),
    )


def _lag_s(series: Series, found: Stretch) -> float:
    """How far a value's moment may be from its reading's midpoint: the read's width, the sensor's update."""
    widths_ns = series.widths_ns[found.used]
    return (math.fsum(widths_ns) / len(widths_ns) + family_of(series.source).update_ns) / 1e9


def _net(
    gross: Energy, series: Series, windows: Windows, iterations: int, gain: float, spread_j: float
) -> Energy:
    before, after = _idle(series, windows.idle), _idle(series, windows.idle_after)
    levels = [level for level in (before, after) if isinstance(level, _Level)]
    gross = replace(
        gross,
        idle_before_w=before.watts if isinstance(before, _Level) else None,
        idle_after_w=after.watts if isinstance(after, _Level) else None,
    )
    if isinstance(before, str) or isinstance(after, str) or gross.gross_j is None:
        missing = [
            f"{name} the window: {level}"
            for name, level in (("before", before), ("after", after))
            if isinstance(level, str)
        ]
        return replace(gross, net_reason="idle power " + "; ".join(missing))
    window_s = gross.window_ns / 1e9
    idle_w = (before.watts + after.watts) / 2
    noise_w = math.hypot(*(level.noise_w for level in levels)) / 2
    rounding_w = math.fsum(level.rounding_w for level in levels) / 2
    shift_w = after.watts - before.watts
    # What both sensors' steps may differ by is no shift of power either.
    explained_w = SURE * math.hypot(2 * noise_w, *(level.rounding_w for level in levels))
    moved = abs(shift_w) > explained_w
    net_j = gross.gross_j - idle_w * window_s
    return replace(
        gross,
        net_j=net_j,
        net_uncertainty_j=math.hypot(
            gain * net_j,
            spread_j,
            window_s * noise_w,
            window_s * rounding_w,
            window_s * shift_w / 2 if moved else 0.0,
        ),
        net_per_inference_j=net_j / iterations,
        idle_w=idle_w,
        idle_shift_w=shift_w if moved else None,
    )


def _idle(series: Series, window: Window | None) -> _Level | str:
    """The level of an idle window, or why it is unknown.

    Only readings that lie wholly inside count, after whatever a sensor may show that is an update old and the
    mean of the update before that: what the load before took must not be in them.
    """
    if window is None:
        return "not measured"
    found = stretch(series, window, LEAST_IDLE_READINGS, family_of(series.source).least_ns // 2)
    if found.reason:
        return found.reason
    lag_ns = _lag_s(series, found) * 1e9
    inside = series.between(
        window[0] + lag_ns + family_of(series.source).update_ns,
        window[1] - max(series.widths_ns[found.used]),
    )
    times_s = [(time_ns - window[0]) / 1e9 for time_ns in series.times_ns[inside]]
    values = series.values[inside]
    span_s = times_s[-1] - times_s[0]
    if series.unit == JOULES:
        rises_w = [
            (values[i + 1] - values[i]) / (times_s[i + 1] - times_s[i]) for i in range(len(values) - 1)
        ]
        mean_w = (values[-1] - values[0]) / span_s
        step_j = max(mean_w * _lag_s(series, found), uncertainty.counter_step(series.values))
        return _Level(mean_w, math.hypot(uncertainty.level_w(rises_w), step_j / math.sqrt(6) / span_s), 0.0)
    rounding_w = uncertainty.rounding_w(values, uncertainty.least_step(series.values))
    mean_w = trapezoid(times_s, values, times_s[0], times_s[-1]) / span_s
    return _Level(mean_w, uncertainty.level_w(values), rounding_w)

"""Mean power stretch by stretch of a window: a course to look at, beside the window's own figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.domain import PowerCourse
from orchestrator.energy.integral import difference, trapezoid
from orchestrator.energy.series import JOULES, Line, Series, power_sources, series_of
from orchestrator.energy.stretch import ADVICE, Window, stretch

# A course needs no figure's certainty: fewer readings and shorter stretches do, gaps do not.
LEAST_READINGS = 10


def power_course(lines: Iterable[Line], windows: Sequence[Window]) -> tuple[PowerCourse, ...]:
    """Mean W in each of the ``windows`` by every source of power or energy that answered at all.

    ``lines`` are those of ``telemetry.jsonl``, of the windows' own clock. Sources come in the order they
    first appear.
    """
    every = (series_of(readings) for readings in power_sources(lines).values())
    return tuple(_course(series, windows) for series in every if series.reason is None)


def _course(series: Series, windows: Sequence[Window]) -> PowerCourse:
    found = [_mean_w(series, window) for window in windows]
    return PowerCourse(
        series.source,
        series.scope,
        series.method,
        tuple(None if isinstance(one, str) else one for one in found),
        next((one for one in found if isinstance(one, str)), None),
    )


def _mean_w(series: Series, window: Window) -> float | str:
    """The mean, or why it is unknown."""
    found = stretch(series, window, LEAST_READINGS, 0)
    if found.reason:
        return found.reason.removesuffix(ADVICE)  # it would lengthen no minute
    times_s = [(time_ns - window[0]) / 1e9 for time_ns in series.times_ns[found.used]]
    values, end_s = series.values[found.used], (window[1] - window[0]) / 1e9
    integral = difference if series.unit == JOULES else trapezoid
    return integral(times_s, values, 0.0, end_s) / end_s

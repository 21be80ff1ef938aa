"""The curve of a long window as a table, a line and a reason for whatever is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain import Minute, PowerCourse, Sustained
from orchestrator.report.cells import UNKNOWN, decimals, number, plain, time_unit
from orchestrator.report.joules import meter_of

MHZ = 1e6
MOST_ROWS = 12  # on a terminal
_LEAST_REST = 1 / 6  # of a minute: a rest below it has too few inferences to stand beside full minutes


@dataclass(frozen=True)
class MinuteTable:
    """``titles`` may hold a line feed: the unit stands on the second line; one text a title in each row."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


def headline(curve: Sustained) -> str:
    """``minute 30 / minute 1: 1.18 (31.20 ms -> 36.80 ms)``, or why there is no ratio."""
    first, last = curve.at(curve.first_minute), curve.at(curve.last_minute)
    if curve.ratio is None or first is None or last is None:
        return f"last minute / first minute: unknown, {curve.reason}"
    unit = time_unit([first.p50_ns, last.p50_ns])
    ends = " -> ".join(f"{number((one.p50_ns or 0.0) / unit.ns)} {unit.name}" for one in (first, last))
    return f"minute {last.minute} / minute {first.minute}: {curve.ratio:.2f} ({ends})"


def whole(curve: Sustained) -> Sequence[Minute]:
    """The minutes that a reader sees: without a short rest at the end of full ones."""
    minutes = curve.minutes
    short = len(minutes) > 1 and minutes[-1].duration_ns < _LEAST_REST * minutes[0].duration_ns
    return minutes[:-1] if short else minutes


def thinned(minutes: Sequence[Minute], most: int = MOST_ROWS) -> list[Minute]:
    """The first, every n-th and the last, at most ``most`` (at least 3) of them."""
    ends = {one.minute for one in (*minutes[:1], *minutes[-1:])}
    step = 1
    while True:
        kept = [one for one in minutes if one.minute % step == 0 or one.minute in ends]
        if len(kept) <= most:
            return kept
        step += 1


def table(curve: Sustained, minutes: Sequence[Minute]) -> MinuteTable:
    """These minutes with latency, and clock, temperature and power as far as something read them."""
    unit = time_unit(one.p50_ns for one in curve.minutes)
    powers = _powers(curve)
    scopes = [one.scope for one in powers]
    columns = [
        ("minute", [str(one.minute) for one in minutes]),
        (f"p50\n{unit.name}", _even([one.p50_ns for one in minutes], unit.ns)),
    ]
    if curve.clock_source:
        columns.append(("clock\nMHz", _even([one.clock_hz for one in minutes], MHZ)))
    if curve.temperature_source:
        columns.append(("temperature\nC", _even([one.mean_c for one in minutes], 1.0, 1)))
    for power in powers:
        name = power.scope if scopes.count(power.scope) == 1 else f"{power.scope} {power.source}"
        columns.append((f"{name}\nW", _even([power.mean_w[one.minute - 1] for one in minutes], 1.0)))
    return MinuteTable(
        [title for title, _ in columns], list(zip(*(texts for _, texts in columns), strict=True))
    )


def _powers(curve: Sustained) -> list[PowerCourse]:
    """One course a meter: the counter's where it has any; parts of a board stand in the files."""
    best: dict[str, PowerCourse] = {}
    for one in curve.power:
        if one.scope != "supply_rail":
            rival = best.get(meter_of(one.source), one)
            best[meter_of(one.source)] = max(rival, one, key=_known)
    return list(best.values())


def _known(course: PowerCourse) -> tuple[int, bool]:
    return sum(watts is not None for watts in course.mean_w), course.method == "counter"


def _even(values: Sequence[float | None], unit: float, places: int | None = None) -> list[str]:
    """Texts with equally many decimals, so that a column reads like a curve."""
    known = [value / unit for value in values if value is not None]
    if places is None:
        places = min(map(decimals, known), default=0)
    return [UNKNOWN if value is None else f"{value / unit:.{places}f}" for value in values]


def brief(source: str) -> str:
    """Several sources as the first and how many more."""
    first, *others = source.split(", ")
    return f"{first} and {len(others)} more" if others else first


def sources_line(curve: Sustained) -> str:
    """Where clock, temperature and power come from, or why they are unknown."""
    parts = [
        f"clock: {brief(curve.clock_source)}" if curve.clock_source else str(curve.clock_reason),
        f"temperature: {curve.temperature_source}"
        if curve.temperature_source
        else str(curve.temperature_reason),
    ]
    for power in _powers(curve):
        lacking = f" ({UNKNOWN}: {power.reason})" if power.reason else ""
        parts.append(f"power: {power.source}, {power.method}{lacking}")
    return plain("; ".join(parts) + ". Means of each minute; p50 is the median of its inferences.")

"""The latest of every source, from the telemetry program's lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.live.reasons import phrase
from orchestrator.live.units import human, human_rate

_KEPT = 20  # readings a rate is taken over
_RATE_FROM = 3  # readings
_SHORTEST_S = 0.1  # of a counter's growth that is shown


@dataclass(frozen=True)
class Row:
    """One channel in words; ``note``: why there is no value, ``reason`` its code, ``fix`` what would help."""

    source: str
    value: str
    scope: str
    method: str
    rate: str
    note: str
    reason: str | None
    fix: str
    time_s: float  # since the program began


class Picture:
    """Takes lines, gives rows."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._seen: dict[str, deque[tuple[int, Any]]] = {}
        self._fixes: dict[tuple[str, str], str] = {}
        self._began_ns = 0

    def take(self, line: Mapping[str, Any]) -> Row | None:
        """The row that a line makes or changes; None for a line of another type."""
        if line["type"] == "clock":
            self._began_ns = line["t_ns"]
        if line["type"] == "fix":
            self._fixes[line["source"], line["reason"]] = line["fix"]
        if line["type"] != "reading":
            return None
        seen = self._seen.setdefault(line["source"], deque(maxlen=_KEPT))
        if line["value"] is not None:
            seen.append((line["t0_ns"], line["value"]))
        reason = line["reason"]
        row = Row(
            line["source"],
            "-" if line["value"] is None else self._value(line, seen),
            line["scope"],
            line["method"],
            _rate(seen),
            phrase(reason) if reason else "",
            reason,
            self._fixes.get((line["source"], reason), ""),
            (line["t0_ns"] - self._began_ns) / 1e9,
        )
        self._rows[row.source] = row
        return row

    def rows(self) -> list[Row]:
        """Every source once, in the order of their first lines."""
        return list(self._rows.values())

    def _value(self, line: Mapping[str, Any], seen: deque[tuple[int, Any]]) -> str:
        text = human(line["unit"], line["value"])
        power = self._rows.get(f"{line['source'].rpartition('.')[0]}.power")
        # A meter that tells its power too counts energy in steps, so coarse that between them were 0 W.
        if line["method"] != "counter" or (power and power.reason is None):
            return text
        now_ns, now = seen[-1]
        # The latest that is far enough away.
        for t_ns, before in reversed(seen):
            if now_ns - t_ns >= _SHORTEST_S * 1e9:
                growth = human_rate(line["unit"], (now - before) * 1e9 / (now_ns - t_ns))
                return f"{text} ({growth})" if growth and now >= before else text
        return text


def _rate(seen: deque[tuple[int, Any]]) -> str:
    """How often there was a value, over the last readings."""
    span_ns = seen[-1][0] - seen[0][0] if seen else 0
    if len(seen) < _RATE_FROM or span_ns <= 0:
        return "-"
    return f"{(len(seen) - 1) * 1e9 / span_ns:.3g} Hz"

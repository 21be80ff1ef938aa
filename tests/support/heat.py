"""A machine whose temperatures follow a script, and bodies that heat and cool."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SECOND = 1_000_000_000
Line = dict[str, Any]


def reading(source: str, value: Any, unit: str, at_ns: float, reason: str | None = None) -> Line:
    """One line as telemetry writes it; a value of None has the reason ``eagain`` unless told."""
    return {
        "type": "reading",
        "source": source,
        "scope": "host",
        "method": "sampled",
        "unit": unit,
        "value": value,
        "reason": reason or ("eagain" if value is None else None),
        "t0_ns": round(at_ns),
        "t1_ns": round(at_ns) + 40_000,
    }


class Machine:
    """A clock that moves only when somebody sleeps, and sensors: temperature as a function of time in s.

    A sensor may give None (it answers EAGAIN), a word (its reason), or be left out after ``gone_s``.
    """

    def __init__(self, sensors: Mapping[str, Callable[[float], float | str | None]], cost_s: float = 0.05):
        self.sensors = dict(sensors)
        self.now_s, self.cost_s = 1000.0, cost_s
        self.asked: list[tuple[str, ...]] = []
        self.said: list[tuple[float, str]] = []

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds

    def say(self, text: str) -> None:
        self.said.append((self.now_s, text))

    def sense(self, sources: Sequence[str]) -> list[Line]:
        self.asked.append(tuple(sources))
        self.now_s += self.cost_s
        lines = []
        for name, temperature in self.sensors.items():
            value = temperature(self.now_s)
            word = value if isinstance(value, str) else None
            lines.append(reading(name, None if word else value, "c", self.now_s * SECOND, word))
        return lines


class Body:
    """A board that heats under load and cools towards the room (time constant ``tau_s``)."""

    def __init__(self, machine_c: float = 45.0, room_c: float = 45.0, tau_s: float = 60.0):
        self.value, self.room_c, self.tau_s, self.at_s = machine_c, room_c, tau_s, 1000.0

    def __call__(self, now_s: float) -> float:
        self.value = self.room_c + (self.value - self.room_c) * math.exp(-(now_s - self.at_s) / self.tau_s)
        self.at_s = now_s
        return round(self.value, 1)

    def heat(self, to_c: float, now_s: float) -> None:
        self.value, self.at_s = to_c, now_s

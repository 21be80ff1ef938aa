"""Cool-down: every trial starts from the temperatures that the machine had before the first one.

The baseline is taken once a run and kept in its folder. A trial waits until no sensor is more than
``band_c`` above it; where that cannot be had in time it runs and its record says why it began hot.
Nothing is measured while this waits, so reading sensors every two seconds disturbs nothing.
docs/adr/0011-heat.md has the reasons for the figures.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.catalog import Cooldown
from orchestrator.measurement import Line
from orchestrator.statistics.quantiles import median
from orchestrator.store import Run

THERMOMETERS = ("thermal", "hwmon", "vcgencmd", "nvml")  # telemetry sources that can give temperatures
POLL_S, SAY_S = 2.0, 10.0
# Settled: no sensor fell by more than FALL_C, seen over SETTLE_S, or at a glance where nothing is hot.
GLANCE_S, SETTLE_S, FALL_C = 1.0, 20.0, 1.0
AGAIN_S, TRIES = 0.2, 3  # for a sensor that says "try again"
LOST_S = 10.0  # what has not answered for so long is neither waited for nor judged
STALL_S, STALL_C = 120.0, 0.5  # hot, and no colder by STALL_C for so long: waiting does not help

Look = tuple[float, Mapping[str, float]]  # when (s), and each sensor's temperature (degrees Celsius)


class Cooling:
    """The cool-down of one run. ``sense`` reads telemetry sources once; ``now`` and ``sleep`` are in s."""

    def __init__(
        self,
        sense: Callable[[Sequence[str]], Sequence[Line]],
        sources: Sequence[str],
        policy: Cooldown,
        run: Run,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._sense, self._policy, self._run, self._say = sense, policy, run, say
        self._now, self._sleep = now, sleep
        self._sources = [name for name in sources if re.split("[@=]", name)[0] in THERMOMETERS]
        self._baseline: dict[str, float] = {}
        self._is_known = self._is_changed = False
        self._reason: str | None = None  # why there is nothing to wait for
        self._plateaus: dict[str, float] = {}  # where a sensor stayed, though it was waited for
        self._looks: list[Look] = []  # the last two
        self._refused: dict[str, str] = {}  # sensor -> why the last look has no value of it
        self._said_s: float | None = None

    def wait(self) -> dict[str, Any] | None:
        """Wait before a trial; what its record keeps, or None on a machine without sensors.

        ``waited_ns`` (the baseline's settling included), ``baseline_c`` and ``start_c`` (sensor -> degrees,
        None: it did not answer), ``hot``: why the trial begins too hot, or None. Raises KeyboardInterrupt
        at any time, with nothing left to undo.
        """
        began_s = self._now()
        if not self._is_known:
            self._know()
        if self._reason is not None:
            return None
        self._look()
        seen = self._cool(began_s)
        for name, value in seen.items():
            if name in self._plateaus:
                self._plateaus[name] = min(self._plateaus[name], value)
        if self._is_changed:
            self._run.write_baseline({"baseline_c": self._baseline, "reason": None})
            self._is_changed = False
        return {
            "waited_ns": round((self._now() - began_s) * 1e9),
            "baseline_c": dict(self._baseline),
            "start_c": {name: seen.get(name) for name in self._baseline},
            "hot": self._hot(seen, self._now() - began_s),
        }

    def _know(self) -> None:
        """The run's baseline, from its folder or from the machine as it is now."""
        stored = self._run.baseline()
        if stored is None:
            settled = self._settle()
            refused = ", ".join(f"{name} {why}" for name, why in sorted(self._refused.items()))
            reason = None if settled else f"no temperature sensor ({refused or 'no source that has one'})"
            stored = {"baseline_c": settled, "reason": reason}
            self._run.write_baseline(stored)
            if reason:
                self._say(f"trials do not wait for the machine to cool: {reason}")
        self._baseline, self._reason = dict(stored["baseline_c"]), stored["reason"]
        self._is_known = True

    def _settle(self) -> dict[str, float]:
        """Temperatures once they have stopped falling, or as they are at the timeout; empty without any."""
        first = self._look()
        if not first[1] and "eagain" not in self._refused.values():
            return {}
        self._sleep(GLANCE_S)
        looks = [first, self._look()]
        if not _fall(looks, FALL_C):
            return {**looks[0][1], **looks[1][1]}
        while looks[-1][0] - first[0] < self._policy.timeout_s:
            self._tell("letting temperatures settle", looks[-1][1])
            self._sleep(POLL_S)
            looks = [look for look in looks if look[0] >= looks[-1][0] + POLL_S - SETTLE_S] + [self._look()]
            # The halves of that time lie half of it apart.
            if looks[-1][0] - first[0] >= SETTLE_S and not _fall(looks, FALL_C / 2):
                break
        return _medians(looks[len(looks) // 2 :])

    def _look(self) -> Look:
        """Read the sensors; two lower readings in a row show that the baseline was taken too hot."""
        values: dict[str, float] = {}
        for _ in range(TRIES):
            self._refused = {}
            for line in self._sense(self._sources) if self._sources else ():
                if line.get("type") != "reading":
                    continue
                name = str(line["source"])
                if line["unit"] == "c" and line["value"] is not None:
                    values[name] = line["value"]
                elif line["reason"]:
                    self._refused[name] = line["reason"]
            # One that never answered is asked again only while the baseline is taken: some never do.
            awaited = self._refused.keys() & self._baseline if self._is_known else self._refused.keys()
            if all(name in values or self._refused[name] != "eagain" for name in awaited):
                break
            self._sleep(AGAIN_S)
        before = self._looks[-1][1] if self._looks else {}
        for name, value in values.items() if self._is_known else ():
            if name not in self._baseline:  # it did not answer before the first trial
                self._baseline[name], self._is_changed = value, True
            lowered = max(value, before.get(name, self._baseline[name]))
            if lowered < self._baseline[name] - FALL_C:
                self._baseline[name], self._is_changed = lowered, True
        look = (self._now(), values)
        self._looks = [*self._looks[-1:], look]
        return look

    def _cool(self, began_s: float) -> dict[str, float]:
        """Wait while that helps; the temperatures at its end."""
        latest: dict[str, tuple[float, float]] = {}  # (when, value)
        lowest: dict[str, tuple[float, float]] = {}  # the same of each hot sensor's last fall
        while True:
            now_s, values = self._looks[-1]
            latest.update({name: (now_s, value) for name, value in values.items()})
            seen = {name: value for name, (at_s, value) in latest.items() if now_s - at_s <= LOST_S}
            hot = {name: value for name, value in seen.items() if value > self._limit(name)}
            left_s = began_s + self._policy.timeout_s - self._now()
            if not hot or left_s <= 0:
                return seen
            for name, value in hot.items():
                if name not in lowest or value <= lowest[name][1] - STALL_C:
                    lowest[name] = (now_s, value)
            if all(now_s - lowest[name][0] >= STALL_S for name in hot):
                self._plateaus.update(hot)
                return seen
            self._tell("cooling down", hot)
            self._sleep(min(POLL_S, left_s))
            self._look()

    def _limit(self, name: str) -> float:
        """What a sensor is waited for."""
        return max(self._baseline[name], self._plateaus.get(name, self._baseline[name])) + self._policy.band_c

    def _hot(self, seen: Mapping[str, float], waited_s: float) -> str | None:
        above = {name: value - self._baseline[name] for name, value in seen.items()}
        name = max(above, key=above.__getitem__, default=None)
        if name is None or above[name] <= self._policy.band_c:
            return None
        return (
            f"{name} {seen[name]:.1f} C after waiting {waited_s:.0f} s, {above[name]:.1f} C above the run's "
            f"baseline, limit {self._policy.band_c} C"
        )

    def _tell(self, what: str, values: Mapping[str, float]) -> None:
        now_s = self._now()
        if not values or (self._said_s is not None and now_s - self._said_s < SAY_S):
            return
        self._said_s = now_s
        if not self._is_known:
            name = max(values, key=values.__getitem__)
            self._say(f"{what}: {name} {values[name]:.1f} C")
            return
        name = max(values, key=lambda sensor: values[sensor] - self._limit(sensor))
        self._say(f"{what}: {name} {values[name]:.1f} C, waits for {self._limit(name):.1f} C")


def _fall(looks: Sequence[Look], by_c: float) -> bool:
    """Whether some sensor is colder by more than ``by_c`` in the later half of the looks."""
    half = len(looks) // 2
    earlier, later = _medians(looks[:half]), _medians(looks[half:])
    return any(earlier[name] - later[name] > by_c for name in earlier.keys() & later.keys())


def _medians(looks: Sequence[Look]) -> dict[str, float]:
    names = {name for _, values in looks for name in values}
    return {name: median([values[name] for _, values in looks if name in values]) for name in sorted(names)}

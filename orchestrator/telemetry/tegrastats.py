"""Power of a Jetson's rails as NVIDIA's ``tegrastats`` prints it, for boards whose monitors are closed to us.

A fallback: it takes the same lock of the driver as the source ``ina3221`` does and slows it down, so it is
for boards where that one finds nothing. A line has ``POM_5V_IN 2765/2384`` (JetPack 4) or
``VDD_IN 5704mW/5704mW`` (JetPack 5 and 6): the power now and its average since the start, both in mW. The
average is not used.
"""

import re

from .child import Child
from .ina3221 import rail_channel
from .machine import Machine, absent, reason_of
from .reading import Channel, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RAIL = re.compile(rb"[A-Z][A-Z0-9_]+")
PAIR = re.compile(rb"(\d{1,7})/\d+|(\d{1,7})mW/\d+mW")
RESTART_NS = 60000000000
SILENT_INTERVALS, SILENT_NS = 3, 5000000000
NONE = Channel("tegrastats", "supply_rail", "sampled", "w")


class Tegrastats:
    """Readings of the newest line, none between two lines.

    ``start`` takes a command's words and gives an object with the methods of :class:`Child`. A child that
    ends or falls silent is started again, at most once a minute.
    """

    fixes = {"no_sensor": "sudo apt-get install nvidia-l4t-tools brings tegrastats"}
    slow = True

    def __init__(
        self, machine: Machine, interval_s: float = 1.0, start: "Callable[[list[str]], Child]" = Child
    ) -> None:
        self._machine, self._start = machine, start
        self._words = ["tegrastats", "--interval", "%d" % (interval_s * 1000)]
        self._silent_ns = max(SILENT_NS, int(interval_s * 1e9) * SILENT_INTERVALS)
        self._child = None  # type: Child | None
        self._channels = {}  # type: dict[str, Channel]
        self._reason = "no_sensor"
        self._next_start_ns = self._looked_ns = self._heard_ns = 0

    def read(self) -> "list[Reading]":
        """One reading a rail of a new line, stamped with the looks before and after it came."""
        now_ns = self._machine.now()
        if self._child is None and now_ns >= self._next_start_ns:
            self._next_start_ns = now_ns + RESTART_NS
            self._looked_ns = self._heard_ns = now_ns
            try:
                self._child = self._start(self._words)
            except OSError as problem:
                self._reason = reason_of(problem)
        if self._child is None:
            return self._without(self._reason, now_ns, now_ns)
        lines = self._child.lines()
        t0_ns, t1_ns = self._looked_ns, self._machine.now()
        self._looked_ns = t1_ns
        if lines:
            self._heard_ns = t1_ns
            return self._of(lines[-1], t0_ns, t1_ns)
        if lines is None or t1_ns - self._heard_ns > self._silent_ns:
            self.close()
            self._reason = "stale" if self._channels else "no_sensor"
            return self._without(self._reason, t0_ns, t1_ns)
        return []

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def _of(self, line: bytes, t0_ns: int, t1_ns: int) -> "list[Reading]":
        try:
            powers = watts(line)
        except ValueError:
            powers = {}
        if not self._channels:  # a board's rails do not change
            self._channels = {name: rail_channel("tegrastats", name) for name in sorted(powers)}
        if not self._channels:
            return self._without("parse", t0_ns, t1_ns)
        return [
            Reading(channel, powers[name], None, t0_ns, t1_ns)
            if name in powers
            else absent(channel, "parse", t0_ns, t1_ns)
            for name, channel in self._channels.items()
        ]

    def _without(self, reason: str, t0_ns: int, t1_ns: int) -> "list[Reading]":
        channels = list(self._channels.values()) or [NONE]
        return [absent(channel, reason, t0_ns, t1_ns) for channel in channels]


def watts(line: bytes) -> "dict[str, float]":
    """Watts by rail; nothing where a line has none. Raises ValueError for a rail that comes twice."""
    words = line.split()
    powers = {}  # type: dict[str, float]
    for word, following in zip(words, words[1:]):
        pair = PAIR.fullmatch(following)
        if not pair or not RAIL.fullmatch(word):
            continue
        name = word.decode("ascii")
        if name in powers:
            raise ValueError("%s twice" % name)
        powers[name] = int(pair.group(1) or pair.group(2)) / 1000.0
    return powers

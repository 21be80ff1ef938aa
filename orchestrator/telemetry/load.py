"""How busy the whole machine was, and how much of it a hypervisor took: ``/proc/stat``.

``cpu_busy`` less the runner's own ``process.cpu_time`` is foreign load. Both counters add up all cores
and have steps of a clock tick (10 ms). Waiting for input or output is idle time here.
"""

from .machine import Machine
from .process import TICK_NS
from .reading import Channel, Reading, Unavailable

BUSY = Channel("host.cpu_busy", "host", "counter", "ns", low=0)
STEAL = Channel("host.cpu_steal", "host", "counter", "ns", low=0)

STEAL_FIELD = 7


class Load:
    """Readings of the first line of ``/proc/stat``."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def read(self) -> "list[Reading]":
        """Busy and stolen time since boot, in ns."""
        return self._machine.readings("proc/stat", [(BUSY, _busy), (STEAL, _steal)])


def _ticks(data: bytes) -> "list[int]":
    name, *ticks = data.split(b"\n", 1)[0].split()
    if name != b"cpu":
        raise ValueError(name)
    return [int(tick) for tick in ticks]


def _busy(data: bytes) -> int:
    user, nice, system, _idle, _iowait, irq, softirq = _ticks(data)[:7]  # user and nice hold guest time
    return (user + nice + system + irq + softirq) * TICK_NS


def _steal(data: bytes) -> int:
    ticks = _ticks(data)
    if len(ticks) <= STEAL_FIELD:
        raise Unavailable("not_supported")
    return ticks[STEAL_FIELD] * TICK_NS

"""What the machine could still give to a new program without swapping: ``MemAvailable``."""

from .machine import Machine
from .reading import Channel, Reading, Unavailable

AVAILABLE = Channel("host.memory_available", "host", "sampled", "bytes", low=0)


class Meminfo:
    """Readings of ``/proc/meminfo``."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def read(self) -> "list[Reading]":
        """One reading; ``not_supported`` before kernel 3.14."""
        return self._machine.readings("proc/meminfo", [(AVAILABLE, _available)])


def _available(data: bytes) -> int:
    found = data.partition(b"MemAvailable:")[2]
    if not found:
        raise Unavailable("not_supported")
    return int(found.split(None, 1)[0]) * 1024

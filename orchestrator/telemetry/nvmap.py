"""What a Jetson's graphics drivers hold of the machine's memory: nvmap's list of its clients.

Format (nvmap_dev.c of kernel 4.9, nvmap_debug.c since): a line a client with its size, and one
``total                                              286720K``, in which shared memory counts once. It is
system memory: never add it to the host's.
"""

from .machine import Machine
from .reading import Channel, Reading

CLIENTS = "sys/kernel/debug/nvmap/iovmm/clients"
USED = Channel("nvmap.used", "host", "sampled", "bytes", low=0)


class Nvmap:
    """Readings of the total."""

    fixes = {"permission": "run it as root: the kernel closes its debug files to everybody else"}
    slow = False

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def read(self) -> "list[Reading]":
        """One reading."""
        return self._machine.readings(CLIENTS, [(USED, total_bytes)])


def total_bytes(data: bytes) -> int:
    """Bytes of the one line of two words that begins with ``total``. Raises ValueError."""
    lines = [line.split() for line in data.splitlines()]
    ((_total, size),) = [words for words in lines if len(words) == 2 and words[0] == b"total"]
    kilobytes, unit, rest = size.partition(b"K")
    if unit != b"K" or rest:
        raise ValueError(size)
    return int(kilobytes) * 1024

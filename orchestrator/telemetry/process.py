"""Memory and processor time of the observed process and its descendants, from ``/proc``.

``vm_hwm`` is the highest VmHWM of any one living member (the runner's, since its init is tiny), kept by
the kernel since that process began or since it reset the figure itself: our SDK does so at the end of load,
and what is read later is the peak since then. ``vm_rss`` is the sum over members, in which shared pages
count more than once; ``cpu_time`` is user and system time of all members and of their reaped children, in
steps of a clock tick (10 ms).
"""

import os

from .machine import Machine, absent
from .reading import Channel, Reading
from .tree import SYSTEM, USER, Tree

HWM = Channel("process.vm_hwm", "process", "peak", "bytes", low=1)
RSS = Channel("process.vm_rss", "process_tree", "sampled", "bytes", low=1)
CPU = Channel("process.cpu_time", "process_tree", "counter", "ns", low=0)

TICK_NS = 1000000000 // os.sysconf("SC_CLK_TCK")


class Process:
    """Readings of a process tree."""

    def __init__(self, machine: Machine, tree: Tree) -> None:
        self._machine, self._tree = machine, tree

    def read(self) -> "list[Reading]":
        """One reading a channel; ``stale`` when the tree has gone."""
        t0_ns = self._machine.now()
        peaks, resident, ticks = [], [], []
        reason = "stale"
        for pid, fields in self._tree.members():
            try:
                status = self._machine.read("proc/%d/status" % pid)
                # The user and system time of reaped children follow our own two.
                ticks.append(sum(map(int, fields[USER : SYSTEM + 3])))
                peaks.append(_kilobytes(status, b"VmHWM:"))
                resident.append(_kilobytes(status, b"VmRSS:"))
            except OSError:
                continue  # it ended between its two files
            except (ValueError, LookupError):
                reason = "parse"  # a zombie has no Vm lines
        t1_ns = self._machine.now()
        return [
            Reading(channel, total(values), None, t0_ns, t1_ns)
            if values
            else absent(channel, reason, t0_ns, t1_ns)
            for channel, total, values in (
                (HWM, max, peaks),
                (RSS, sum, resident),
                (CPU, lambda items: sum(items) * TICK_NS, ticks),
            )
        ]


def _kilobytes(status: bytes, name: bytes) -> int:
    return int(status.partition(name)[2].split(None, 1)[0]) * 1024

"""Proportional memory (PSS) of the observed process and its descendants, from ``/proc/<pid>/smaps_rollup``.

A page that several processes share counts in equal parts to each, so the sum counts every page once: unlike
the cgroup's figures it holds no page cache but what is mapped, unlike ``process.vm_rss`` nothing twice.
Kernel 4.14 and later. A read walks the process's page tables and may hold up its page faults meanwhile: 30 ms
for 500 MB in pages of 4 KiB, 1 ms in huge ones, on a server's core. Ask for it seldom: ``pss@5`` or longer.
"""

import contextlib

from .machine import Machine, absent, reason_of
from .reading import Channel, Reading
from .tree import Tree

PSS = Channel("process.pss", "process_tree", "sampled", "bytes", low=1)


class Pss:
    """Readings of a process tree's PSS; with a tree of its own, because it is read in a thread of its own."""

    fixes = {"permission": "run the bench as root: of others' processes the kernel tells PSS to root alone"}
    slow = True

    def __init__(self, machine: Machine, pid: int) -> None:
        self._machine = machine
        self._tree = None  # type: Tree | None
        with contextlib.suppress(ProcessLookupError):
            self._tree = Tree(machine, pid)
        self._known = "smaps_rollup" in machine.names("proc/%d" % pid)

    def read(self) -> "list[Reading]":
        """One reading; ``no_sensor`` before kernel 4.14, ``stale`` when the tree has gone.

        Of a member that may not be looked into, the whole sum is unknown.
        """
        t0_ns = self._machine.now()
        parts = []  # type: list[int]
        reason = "stale" if self._known or not self._tree else "no_sensor"
        for pid, _ in self._tree.members() if self._tree and self._known else []:
            try:
                parts.append(_bytes(self._machine.read("proc/%d/smaps_rollup" % pid)))
            except OSError as problem:
                if reason_of(problem) in ("no_sensor", "stale"):
                    continue  # it ended after we had found it
                parts, reason = [], reason_of(problem)
                break
            except (ValueError, LookupError):
                parts, reason = [], "parse"
                break
        t1_ns = self._machine.now()
        if not parts:
            return [absent(PSS, reason, t0_ns, t1_ns)]
        return [Reading(PSS, sum(parts), None, t0_ns, t1_ns)]


def _bytes(data: bytes) -> int:
    """The line ``Pss:     1234 kB`` (kilobytes of 1024)."""
    for line in data.splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(data)

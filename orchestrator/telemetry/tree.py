"""Which processes belong to the observed one: itself and its descendants.

The observed process of a container is its init; the runner is a child of it. Children are taken from
``task/<tid>/children`` where the kernel has that file, else from the parents of the cgroup's members.
"""

from .cgroup import locate
from .machine import Machine

# Of the time that passes, at most this part goes into looking for new descendants: a session's cgroup
# may hold hundreds of processes, a container's two.
SEARCH_SHARE = 1000

STATE, PARENT, USER, SYSTEM, START = 0, 1, 11, 12, 19


def stat(machine: Machine, pid: int) -> "list[bytes]":
    """The fields of ``/proc/<pid>/stat`` after the name, which may hold spaces. Raises OSError."""
    return machine.read("proc/%d/stat" % pid).rpartition(b")")[2].split()


class Tree:
    """The members alive, found again at every search; none is confused with a reused number."""

    def __init__(self, machine: Machine, pid: int) -> None:
        """Raises ProcessLookupError when there is no such process."""
        self._machine, self._pid = machine, pid
        self._next_search_ns = 0
        started = self._start(pid)
        if started is None:
            raise ProcessLookupError("no process %d below %s/proc" % (pid, machine.root))
        self._members = {pid: started}
        self._by_children = True
        try:
            machine.read("proc/%d/task/%d/children" % (pid, pid))
        except OSError:
            self._by_children = False
        try:
            location = None if self._by_children else locate(machine, str(pid))
        except (OSError, ValueError):
            location = None
        self._roll = location and "%s/cgroup.procs" % location.folder

    def alive(self) -> bool:
        """Whether the observed process still runs."""
        return self._start(self._pid) == self._members[self._pid]

    def members(self) -> "list[tuple[int, list[bytes]]]":
        """Each living member with the fields of its ``stat``; the observed process first, if it lives."""
        began_ns = self._machine.now()
        if began_ns >= self._next_search_ns:
            self._search()
            cost_ns = self._machine.now() - began_ns
            self._next_search_ns = began_ns + cost_ns * SEARCH_SHARE
        living = []
        for pid, started in list(self._members.items()):
            try:
                fields = stat(self._machine, pid)
            except OSError:
                fields = []
            if len(fields) > START and fields[START] == started:
                living.append((pid, fields))
            elif pid != self._pid:
                del self._members[pid]
        return living

    def _start(self, pid: int) -> "bytes | None":
        """When a process started (clock ticks after boot), or None when it has gone or is a zombie."""
        try:
            fields = stat(self._machine, pid)
        except OSError:
            return None
        return fields[START] if len(fields) > START and fields[STATE] not in (b"Z", b"X") else None

    def _search(self) -> None:
        # Files are read one after another: a number reused meanwhile can make an ancestor look like a
        # descendant, so nobody is visited twice.
        found = self._children() if self._by_children else self._relatives()
        for pid in found:
            started = None if pid in self._members else self._start(pid)
            if started is not None:
                self._members[pid] = started

    def _children(self) -> "list[int]":
        found = [self._pid]
        for pid in found:  # grows while we walk it
            for task in self._machine.names("proc/%d/task" % pid):
                try:
                    words = self._machine.read("proc/%d/task/%s/children" % (pid, task)).split()
                except OSError:
                    continue  # the thread has ended
                found += [child for child in map(int, words) if child not in found]
        return found

    def _relatives(self) -> "list[int]":
        if not self._roll:
            return []
        parents = {}
        try:
            for word in self._machine.read(self._roll).split():
                try:
                    parents[int(word)] = int(stat(self._machine, int(word))[PARENT])
                except (OSError, IndexError):
                    continue  # it has ended
        except OSError:
            return []
        found = [self._pid]
        for ancestor in found:  # grows while we walk it
            found += [pid for pid, parent in parents.items() if parent == ancestor and pid not in found]
        return found

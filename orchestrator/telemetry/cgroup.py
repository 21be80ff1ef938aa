"""Memory of the container, from the cgroup of the observed process (version 1, 2 or a hybrid).

The figures count page cache too, so the anonymous part stands beside them. Sources: ``memory.current``,
``memory.peak`` (kernel 5.19) and ``anon`` of ``memory.stat``; in version 1 ``memory.usage_in_bytes``,
``memory.max_usage_in_bytes`` and ``total_rss``. The peak is the kernel's own, whatever our interval.
"""

from .machine import Machine, absent, reason_of
from .reading import Channel, Reading

CURRENT = Channel("cgroup.memory_current", "container", "sampled", "bytes", low=1)
PEAK = Channel("cgroup.memory_peak", "container", "peak", "bytes", low=1)
ANON = Channel("cgroup.memory_anon", "container", "sampled", "bytes", low=0)

MOUNT_1 = "sys/fs/cgroup/memory"
MOUNT_2 = "sys/fs/cgroup"
MOUNT_2_HYBRID = "sys/fs/cgroup/unified"
FILES = {
    1: ("memory.usage_in_bytes", "memory.max_usage_in_bytes", b"total_rss"),
    2: ("memory.current", "memory.peak", b"anon"),
}


class Location:
    """Where a process's memory is accounted: hierarchy version, path in it, folder below the root."""

    __slots__ = ("version", "path", "folder")

    def __init__(self, version: int, path: str, folder: str) -> None:
        self.version, self.path, self.folder = version, path, folder

    def contains(self, other: "Location") -> bool:
        """Whether the other cgroup is this one or below it."""
        inside = other.path == self.path or other.path.startswith(self.path.rstrip("/") + "/")
        return self.version == other.version and inside


def locate(machine: Machine, process: str) -> "Location | None":
    """The memory cgroup of ``/proc/<process>``; None without one. Raises OSError.

    Where version 1 has the memory controller, the unified hierarchy of a hybrid machine has it not.
    """
    unified = None
    for line in machine.text("proc/%s/cgroup" % process).splitlines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return Location(1, path, MOUNT_1 + path.rstrip("/"))
        if number == "0" and not controllers:
            unified = path
    if unified is None:
        return None
    mount = MOUNT_2_HYBRID if "unified" in machine.names(MOUNT_2) else MOUNT_2
    return Location(2, unified, mount + unified.rstrip("/"))


class Cgroup:
    """Readings of the cgroup that the process had when we began."""

    def __init__(self, machine: Machine, pid: int) -> None:
        self._machine = machine
        self._reason = None  # type: str | None
        try:
            self._location = locate(machine, str(pid))
            ours = locate(machine, "self")
        except OSError as problem:
            self._location, self._reason = None, reason_of(problem)
        except ValueError:
            self._location, self._reason = None, "parse"
        else:
            if self._location is None:
                self._reason = "no_sensor"
            elif ours is not None and self._location.contains(ours):
                # A cgroup that holds us too is a login session or the whole machine, not the runner's.
                self._reason = "not_supported"

    def read(self) -> "list[Reading]":
        """Current, peak and anonymous memory; the peak last, as late as can be."""
        if self._reason or not self._location:
            now_ns = self._machine.now()
            return [absent(c, self._reason or "no_sensor", now_ns, now_ns) for c in (CURRENT, ANON, PEAK)]
        current, peak, anon = FILES[self._location.version]
        folder = self._location.folder

        def anonymous(data: bytes) -> int:
            return int(dict(line.split() for line in data.splitlines())[anon])

        return (
            self._machine.readings("%s/%s" % (folder, current), [(CURRENT, int)])
            + self._machine.readings("%s/memory.stat" % folder, [(ANON, anonymous)])
            + self._machine.readings("%s/%s" % (folder, peak), [(PEAK, int)])
        )

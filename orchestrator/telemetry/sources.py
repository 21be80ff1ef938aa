"""Which sources there are, and what each is made from."""

from importlib import import_module

from .machine import Machine
from .sampler import Task
from .tree import Tree

# name (also its module's) -> (class, what it takes beside the machine)
SOURCES = {
    "cgroup": ("Cgroup", "pid"),
    "process": ("Process", "tree"),
    "meminfo": ("Meminfo", ""),
    "load": ("Load", ""),
    "thermal": ("Thermal", ""),
    "hwmon": ("Hwmon", ""),
    "cpufreq": ("Cpufreq", "pid"),
}
# Read only where the other, if it is asked for too, has no value: both would tell of the same thing.
INSTEAD_OF = {"perf_energy": "rapl", "tegrastats": "ina3221"}
# These need to be told where to look.
WITH_ARGUMENT = ("shelly", "tasmota")
DEFAULT = tuple(name for name in SOURCES if name not in WITH_ARGUMENT)


class Wish:
    """One word of ``--sources``: ``name[@seconds][=argument]``."""

    __slots__ = ("name", "interval_ns", "argument")

    def __init__(self, word: str, interval_ns: int) -> None:
        """``interval_ns`` where the word names none. Raises ValueError with what is wrong."""
        head, _, self.argument = word.partition("=")
        self.name, at, seconds = head.partition("@")
        if self.name not in SOURCES:
            raise ValueError("unknown %s; known are %s" % (self.name, ", ".join(SOURCES)))
        if (self.name in WITH_ARGUMENT) != bool(self.argument):
            raise ValueError("%s %s an argument" % (self.name, "takes no" if self.argument else "needs"))
        self.interval_ns = nanoseconds(seconds) if at else interval_ns


MIN_INTERVAL_S, MAX_INTERVAL_S = 0.001, 86400.0


def nanoseconds(text: str) -> int:
    """Seconds as text in ns. Raises ValueError."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not MIN_INTERVAL_S <= seconds <= MAX_INTERVAL_S:
        raise ValueError("must be %g to %g seconds, got %r" % (MIN_INTERVAL_S, MAX_INTERVAL_S, text))
    return int(seconds * 1e9)


def tasks(wishes: "list[Wish]", machine: Machine, pid: int, tree: "Tree | None") -> "list[Task]":
    """The sources asked for, without those that another one replaces. A ``tree`` of None: no process."""
    made = {}  # type: dict[str, Task]
    for wish in wishes:
        kind, takes = SOURCES[wish.name]
        if tree is None and takes in ("pid", "tree"):
            continue
        given = {"pid": (pid,), "tree": (tree,), "argument": (wish.argument,), "": ()}[takes]
        module = import_module("." + wish.name, __package__)
        made[wish.name] = Task(wish.name, getattr(module, kind)(machine, *given), wish.interval_ns)
    for name, other in INSTEAD_OF.items():
        if name in made and other in made:
            first = made[other].source.read()  # type: ignore[attr-defined]
            if any(reading.value is not None for reading in first):
                close(made.pop(name))
    return list(made.values())


def close(task: Task) -> None:
    """End what a source holds open."""
    ending = getattr(task.source, "close", None)
    if ending:
        ending()

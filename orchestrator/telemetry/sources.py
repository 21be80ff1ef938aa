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
    "devfreq": ("Devfreq", ""),
    "soctherm": ("Soctherm", ""),
    "nvmap": ("Nvmap", ""),
    "vcgencmd": ("Vcgencmd", ""),
    "rpi_pmic": ("RpiPmic", ""),
    "ina3221": ("Ina3221", ""),
    "tegrastats": ("Tegrastats", "interval"),
}
# Read only where the other, if it is asked for too, has no energy: both would tell of the same thing.
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
    wished = {wish.name for wish in wishes}
    made = []
    for wish in wishes:
        if tree is None and SOURCES[wish.name][1] in ("pid", "tree"):
            continue
        other = INSTEAD_OF.get(wish.name)
        if other in wished and _tells_energy(make(Wish(str(other), wish.interval_ns), machine, pid, tree)):
            continue
        made.append(Task(wish.name, make(wish, machine, pid, tree), wish.interval_ns))
    return made


def make(wish: Wish, machine: Machine, pid: int, tree: "Tree | None") -> "object":
    """One source."""
    kind, takes = SOURCES[wish.name]
    given = {
        "pid": (pid,),
        "tree": (tree,),
        "argument": (wish.argument,),
        "interval": (wish.interval_ns / 1e9,),
        "": (),
    }[takes]  # type: tuple[object, ...]
    return getattr(import_module("." + wish.name, __package__), kind)(machine, *given)


def _tells_energy(source: "object") -> bool:
    """Whether a source, made for this question alone, has a value of power or energy now."""
    readings = source.read()  # type: ignore[attr-defined]
    return any(reading.value is not None and reading.channel.unit in ("w", "j") for reading in readings)


def close(task: Task) -> None:
    """End what a source holds open."""
    ending = getattr(task.source, "close", None)
    if ending:
        ending()

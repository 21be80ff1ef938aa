"""The program: arguments in, JSON Lines out, and what it cost in the last line."""

import contextlib
import json
import os
import select
import signal
import sys
import time

from .cgroup import Cgroup
from .cpufreq import Cpufreq
from .hwmon import Hwmon
from .load import Load
from .machine import Machine, monotonic_ns, read_file
from .meminfo import Meminfo
from .process import Process
from .reading import Reading
from .sampler import Sampler
from .thermal import Thermal
from .tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = ("cgroup", "process", "meminfo", "load", "thermal", "hwmon", "cpufreq")
MIN_INTERVAL_S, MAX_INTERVAL_S = 0.001, 86400.0
STDIN, STDOUT = 0, 1


class Usage(Exception):
    """A mistake in the arguments, in one line."""


class Arguments:
    """The command line; argparse would double what this process imports."""

    def __init__(self, words: "list[str]") -> None:
        options = {"--pid": "", "--interval": "1.0", "--root": "/", "--sources": ",".join(SOURCES)}
        options["--cores"] = ""
        self.once = "--once" in words
        left = iter(word for word in words if word != "--once")
        for name in left:
            if name not in options:
                raise Usage("unknown argument %s; known are %s" % (name, ", ".join([*options, "--once"])))
            options[name] = next(left, "")
        if self.once and not options["--pid"]:
            options["--pid"] = str(os.getpid())
        if not options["--pid"].isdigit():
            raise Usage("--pid must be a process id, got %r" % options["--pid"])
        self.pid, self.root = int(options["--pid"]), options["--root"]
        try:
            interval_s = float(options["--interval"])
        except ValueError:
            interval_s = 0.0
        if not MIN_INTERVAL_S <= interval_s <= MAX_INTERVAL_S:
            limits = (MIN_INTERVAL_S, MAX_INTERVAL_S, options["--interval"])
            raise Usage("--interval must be %g to %g seconds, got %r" % limits)
        self.interval_ns = int(interval_s * 1e9)
        self.sources = options["--sources"].split(",")
        unknown = [name for name in self.sources if name not in SOURCES]
        if unknown:
            raise Usage("--sources: unknown %s; known are %s" % (", ".join(unknown), ", ".join(SOURCES)))
        cores = [core for core in options["--cores"].split(",") if core]
        if not all(core.isdigit() for core in cores):
            raise Usage("--cores must be numbers, got %r" % options["--cores"])
        self.cores = [int(core) for core in cores]


def main(words: "list[str]", usage: "str | None") -> int:
    """Run to the end; returns the exit status."""
    if words in (["-h"], ["--help"]):
        sys.stdout.write(usage or "")
        return 0
    try:
        arguments = Arguments(words)
        machine = Machine(arguments.root)
        tree = Tree(machine, arguments.pid)
    except (Usage, ProcessLookupError) as problem:
        sys.stderr.write("telemetry: %s\n" % problem)
        return 2
    if arguments.cores:
        with contextlib.suppress(OSError):  # what we were started within decides
            os.sched_setaffinity(0, arguments.cores)
    if arguments.once:
        return once(_sources(arguments, machine, tree))
    wait = _waiter()
    try:
        _emit([clock(machine, arguments.interval_ns)])
        sampler = Sampler(
            _sources(arguments, machine, tree),
            lambda readings: _emit([reading.to_json() for reading in readings]),
            machine.now,
            arguments.interval_ns,
        )
        startup_ns = int(time.process_time() * 1e9)
        cause = sampler.run(tree.alive, wait)
        _emit([end(sampler, cause, startup_ns)])
    except BrokenPipeError:
        return 0  # whoever read us has gone, and that is the end as well
    return 0


def once(sources: "list[Callable[[], list[Reading]]]") -> int:
    """Every source once, each written as soon as it has answered; returns the exit status."""
    for read in sources:
        _emit([reading.to_json() for reading in read()])
    return 0


def clock(machine: Machine, interval_ns: int) -> "dict[str, object]":
    """The first line: which clock the stamps are of. An id that cannot be read is None."""
    try:
        boot_id = machine.text("proc/sys/kernel/random/boot_id")  # type: str | None
    except OSError:
        boot_id = None
    return {
        "type": "clock",
        "boot_id": boot_id,
        "time_namespace": machine.target("proc/self/ns/time"),
        "t_ns": machine.now(),
        "interval_ns": interval_ns,
    }


def end(sampler: Sampler, cause: str, startup_ns: int) -> "dict[str, object]":
    """The last line: why it ended, and what we cost (``cpu_ns`` holds ``startup_cpu_ns``)."""
    # Not getrusage: its peak is inherited from whoever started us.
    status = read_file("/proc/self/status")
    return {
        "type": "end",
        "cause": cause,
        "t_ns": monotonic_ns(),
        "cpu_ns": int(time.process_time() * 1e9),
        "startup_cpu_ns": startup_ns,
        "max_rss_bytes": int(status.partition(b"VmHWM:")[2].split(None, 1)[0]) * 1024,
        "ticks": sampler.ticks,
        "missed": sampler.missed,
    }


def _sources(arguments: Arguments, machine: Machine, tree: Tree) -> "list[Callable[[], list[Reading]]]":
    makers = {
        "cgroup": lambda: Cgroup(machine, arguments.pid),
        "process": lambda: Process(machine, tree),
        "meminfo": lambda: Meminfo(machine),
        "load": lambda: Load(machine),
        "thermal": lambda: Thermal(machine),
        "hwmon": lambda: Hwmon(machine),
        "cpufreq": lambda: Cpufreq(machine, arguments.pid),
    }  # type: dict[str, Callable[[], Cgroup | Process | Meminfo | Load | Thermal | Hwmon | Cpufreq]]
    return [makers[name]().read for name in arguments.sources]


def _emit(lines: "list[dict[str, object]]") -> None:
    data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode("ascii")
    while data:
        data = data[os.write(STDOUT, data) :]


def _waiter() -> "Callable[[float], str | None]":
    """A wait that ends early, with the cause, when standard input ends or a signal asks us to stop."""
    signalled, signal_pipe = os.pipe()
    os.set_blocking(signal_pipe, False)
    # Written by the interpreter itself: a handler in Python may run only after the wait that it should end,
    # when the signal comes just before that wait begins.
    signal.set_wakeup_fd(signal_pipe)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def wait(seconds: float) -> "str | None":
        until_ns = monotonic_ns() + int(seconds * 1e9)
        while True:
            left_s = max(0.0, (until_ns - monotonic_ns()) / 1e9)
            ready = select.select([STDIN, signalled], [], [], left_s)[0]
            if signalled in ready:
                return "signal"
            if not ready:
                return None
            if not os.read(STDIN, 4096):
                return "eof"

    return wait

"""The program: arguments in, JSON Lines out, and what it cost in the last line."""

import contextlib
import json
import os
import select
import signal
import sys
import time
from _thread import allocate_lock

from .arguments import Arguments, Usage
from .machine import Machine, monotonic_ns, read_file
from .reading import Reading
from .sampler import Sampler, Task
from .sources import SOURCES, close, tasks
from .tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STDIN, STDOUT = 0, 1
FIRST_NS = 2500000000  # how long a source that is read once may take to say something


class Output:
    """Whole lines on standard output, from any thread."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._told = set()  # type: set[tuple[str, str]]

    def tell(self, *lines: "dict[str, object]") -> None:
        """Write lines. Raises BrokenPipeError when nobody reads them."""
        self._put("".join(map(_line, lines)))

    def write(self, taken: "list[tuple[Task, list[Reading]]]") -> None:
        """Write what sources read; before the first of their reasons that can be mended, the fix."""
        lines = []  # type: list[str]
        for task, readings in taken:
            for reading in readings:
                if reading.reason:
                    lines += self._fix(task, reading.channel.source, reading.reason)
            lines += [reading.line() for reading in readings]
        self._put("".join(lines))

    def _fix(self, task: Task, source: str, reason: str) -> "list[str]":
        if reason not in task.fixes or (source, reason) in self._told:
            return []
        self._told.add((source, reason))
        return [_line({"type": "fix", "source": source, "reason": reason, "fix": task.fixes[reason]})]

    def _put(self, text: str) -> None:
        data = text.encode("ascii")
        with self._lock:
            while data:
                data = data[os.write(STDOUT, data) :]


def _line(line: "dict[str, object]") -> str:
    return json.dumps(line, separators=(",", ":")) + "\n"


def main(words: "list[str]", usage: "str | None") -> int:
    """Run to the end; returns the exit status."""
    if words in (["-h"], ["--help"]):
        sys.stdout.write("%s\nSources: %s.\n" % (usage, ", ".join(SOURCES)))
        return 0
    try:
        arguments = Arguments(words)
        machine = _machine(arguments)
        tree = Tree(machine, arguments.pid) if arguments.pid or not arguments.once else None
    except (Usage, ProcessLookupError) as problem:
        sys.stderr.write("telemetry: %s\n" % problem)
        return 2
    if arguments.cores:
        # Before any thread begins, which inherits it.
        with contextlib.suppress(OSError):  # what we were started within decides
            os.sched_setaffinity(0, arguments.cores)
    output = Output()
    if arguments.once or tree is None:
        return once(tasks(arguments.wishes, machine, arguments.pid, tree), output)
    wait = _waiter()
    made = []  # type: list[Task]
    try:
        output.tell(clock(machine, arguments.interval_ns))
        made = tasks(arguments.wishes, machine, arguments.pid, tree)
        sampler = Sampler(
            made, output.write, output.tell, machine.now, arguments.interval_ns, arguments.block_ns
        )
        startup_ns = int(time.process_time() * 1e9)
        cause = sampler.run(tree.alive, wait)
        output.tell(end(made, cause, startup_ns))
    except BrokenPipeError:
        pass  # whoever read us has gone, and that is the end as well
    finally:
        for task in made:
            close(task)
    return 0


def once(made: "list[Task]", output: Output) -> int:
    """Every source once, each written as soon as it has answered; returns the exit status."""
    for task in made:
        readings, until_ns = task.read(), monotonic_ns() + FIRST_NS
        while not readings and monotonic_ns() < until_ns:  # a command that prints only now and then
            time.sleep(0.05)
            readings = task.read()
        output.write([(task, readings)])
        close(task)
    return 0


def _machine(arguments: Arguments) -> Machine:
    if not arguments.record:
        return Machine(arguments.root)
    from .recorder import Recorder

    return Recorder(arguments.record, arguments.root).machine()


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


def end(made: "list[Task]", cause: str, startup_ns: int) -> "dict[str, object]":
    """The last line: why it ended, and what we cost (``cpu_ns`` holds ``startup_cpu_ns``).

    ``ticks`` and ``missed`` are of all sources together; ``sources`` has them, and the interval, of each.
    """
    # Not getrusage: its peak is inherited from whoever started us.
    status = read_file("/proc/self/status")
    return {
        "type": "end",
        "cause": cause,
        "t_ns": monotonic_ns(),
        "cpu_ns": int(time.process_time() * 1e9),
        "startup_cpu_ns": startup_ns,
        "max_rss_bytes": int(status.partition(b"VmHWM:")[2].split(None, 1)[0]) * 1024,
        "ticks": sum(task.ticks for task in made),
        "missed": sum(task.missed for task in made),
        "sources": {
            task.name: {
                "ticks": task.ticks,
                "missed": task.missed,
                "interval_ns": task.interval_ns,
                "late_p99_ns": task.late_p99_ns(),
            }
            for task in made
        },
    }


def _waiter() -> "Callable[[float], str | None]":
    """A wait that ends early, with the cause, when standard input ends or a signal asks us to stop."""
    signalled, signal_pipe = os.pipe()
    watched = [STDIN, signalled]
    os.set_blocking(signal_pipe, False)
    # Written by the interpreter itself: a handler in Python may run only after the wait that it should end,
    # when the signal comes just before that wait begins.
    signal.set_wakeup_fd(signal_pipe)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def wait(seconds: float) -> "str | None":
        until_ns = monotonic_ns() + int(seconds * 1e9)
        while True:
            ready = select.select(watched, [], [], seconds)[0]
            if not ready:
                return None
            if signalled in ready:
                return "signal"
            if not os.read(STDIN, 4096):
                return "eof"
            seconds = max(0.0, (until_ns - monotonic_ns()) / 1e9)

    return wait

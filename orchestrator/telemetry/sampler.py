"""The loop: every source on deadlines of its own that do not drift; slow ones in threads of their own.

Power that is sampled has its deadlines scattered around their grid: on it, inferences that take a whole part
of the interval would always be seen at the same moment of their course (docs/adr/0010-energy.md).
"""

import os
from _thread import allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

    from .reading import Reading

PAUSES = (False, True, True, False)  # in turns that cancel a steady drift
# A source that needs more than half of its interval would fill it: its interval is doubled.
WIDTHS, WIDE_PART = 20, 2
JOIN_S = 3.0  # for a read under way; commands and requests have shorter deadlines of their own
# Reasons that seldom go away: a source that has nothing else to tell is asked at most so often meanwhile.
LASTING = ("no_sensor", "permission", "not_supported")
SELDOM_NS = 1000000000
HOLD_NS = 1000000000


class Task:
    """One source with its interval and what became of its deadlines."""

    def __init__(self, name: str, source: "object", interval_ns: int) -> None:
        self.name, self.interval_ns = name, interval_ns
        self.source = source
        self.read = source.read  # type: Callable[[], list[Reading]]  # type: ignore[attr-defined]
        self.slow = bool(getattr(source, "slow", False))
        self._scatter = bool(getattr(source, "scatter", False))
        self.ticks = self.missed = 0
        self.due_ns = self._grid_ns = 0
        self._absent = False
        self._late_ns = []  # type: list[int]
        self._widths_ns = []  # type: list[int]

    @property
    def fixes(self) -> "dict[str, str]":
        """What would make a value available, by the reason for having none."""
        return getattr(self.source, "fixes", {})

    def start(self, start_ns: int) -> None:
        """The first deadline is now."""
        self.due_ns = self._grid_ns = start_ns

    def take(self, now: "Callable[[], int]") -> "list[Reading]":
        """Read once and set the next deadline; those that passed meanwhile are missed."""
        began_ns = now()
        if began_ns >= self.due_ns:  # the last read of all is out of turn
            self._late_ns.append(began_ns - self.due_ns)
        readings = self.read()
        ended_ns = now()
        self.ticks += 1
        for reading in readings:  # a command that prints now and then has none in between
            self._absent = reading.reason in LASTING
            if not self._absent:
                break
        skipped = self.skip(ended_ns)
        self.missed += skipped
        if self.slow:
            self._widths_ns.append(ended_ns - began_ns)
        return readings

    def skip(self, now_ns: int) -> int:
        """Move the deadline beyond ``now_ns`` on its grid; returns how many were jumped over."""
        interval_ns = max(self.interval_ns, SELDOM_NS) if self._absent else self.interval_ns
        steps = max(0, now_ns - self._grid_ns) // interval_ns + 1
        self._grid_ns += steps * interval_ns
        self.due_ns = self._grid_ns
        if self._scatter and not self._absent:
            self.due_ns += int(self.interval_ns * (int.from_bytes(os.urandom(2), "big") / 65536.0 - 0.5))
        return steps - 1

    def late_p99_ns(self) -> "int | None":
        """By how much 99 of 100 reads came after their deadlines at most; None before the first."""
        late_ns = sorted(self._late_ns)
        return late_ns[-1 - len(late_ns) // 100] if late_ns else None

    def back_off(self) -> bool:
        """Double the interval where the 95th percentile of the last reads fills half of it."""
        if len(self._widths_ns) < WIDTHS:
            return False
        wide_ns = sorted(self._widths_ns)[WIDTHS * 95 // 100 - 1]
        self._widths_ns = []
        if wide_ns * WIDE_PART <= self.interval_ns:
            return False
        self.interval_ns *= 2
        return True


class Blocks:
    """Equal stretches of time in which sources are read or left alone, by :data:`PAUSES`."""

    def __init__(self, start_ns: int, length_ns: int) -> None:
        self._start_ns, self._length_ns = start_ns, length_ns

    def number(self, now_ns: int) -> int:
        """Which stretch this is, from 0."""
        return (now_ns - self._start_ns) // self._length_ns if self._length_ns else 0

    def paused(self, now_ns: int) -> bool:
        """Whether nothing is read now."""
        return bool(self._length_ns) and PAUSES[self.number(now_ns) % len(PAUSES)]

    def end_ns(self, now_ns: int) -> int:
        """When this stretch is over, where there are more than one."""
        return self._start_ns + (self.number(now_ns) + 1) * self._length_ns


class Sampler:
    """Reads sources at their deadlines; ``write`` gets what was due together, ``tell`` other lines."""

    def __init__(
        self,
        tasks: "list[Task]",
        write: "Callable[[list[tuple[Task, list[Reading]]]], None]",
        tell: "Callable[[dict[str, object]], None]",
        now: "Callable[[], int]",
        interval_ns: int,
        block_ns: int = 0,
    ) -> None:
        # The shortest interval first: what must come evenly does not wait for what need not.
        self._tasks = sorted((task for task in tasks if not task.slow), key=lambda task: task.interval_ns)
        self._slow = [task for task in tasks if task.slow]
        self._write, self._tell, self._now = write, tell, now
        self._interval_ns, self._block_ns = interval_ns, block_ns
        self._is_unread = False
        self.tasks = tasks

    def run(self, alive: "Callable[[], bool]", wait: "Callable[[float], str | None]") -> str:
        """Read until the process has gone (``gone``) or ``wait`` tells a cause to stop, which is returned.

        ``wait`` gets seconds. Fast sources are read once more after the cause: peaks as late as possible.
        """
        start_ns = self._now()
        self._blocks = Blocks(start_ns, self._block_ns)
        for task in self.tasks:
            task.start(start_ns)
        # Locks alone: to wait for an Event of threading takes several times as long.
        stop, running = allocate_lock(), []
        stop.acquire()
        try:
            for task in self._slow:
                done = allocate_lock()
                done.acquire()
                start_new_thread(self._follow, (task, stop, done))
                running.append(done)
            return self._loop(start_ns, alive, wait)
        finally:
            stop.release()
            for done in running:
                done.acquire(True, JOIN_S)

    def _loop(self, look_ns: int, alive: "Callable[[], bool]", wait: "Callable[[float], str | None]") -> str:
        held, told = Held(self._write, self._interval_ns), -1
        while not self._is_unread:
            now_ns = self._now()
            # Seldom, and when the sources that have no interval of their own are read: a wake-up costs more
            # than what is done in it.
            if look_ns <= now_ns:
                if not alive():
                    held.tell()
                    return "gone"
                look_ns += ((now_ns - look_ns) // self._interval_ns + 1) * self._interval_ns
            due = [task for task in self._tasks if task.due_ns <= now_ns]
            until_ns = look_ns
            if self._block_ns:
                number, paused = self._blocks.number(now_ns), self._blocks.paused(now_ns)
                until_ns = min(look_ns, self._blocks.end_ns(now_ns))
                if number != told:
                    told = number
                    held.tell()  # before a rest: what reading costs belongs to the block that read
                    self._tell({"type": "block", "number": number, "paused": paused, "t_ns": now_ns})
                if paused:
                    for task in due:
                        task.skip(now_ns)
                    due = []
            held.take(due, self._now)
            until_ns = min([until_ns] + [task.due_ns for task in self._tasks])
            held.tell_before(until_ns)
            cause = wait(max(0, until_ns - self._now()) / 1e9)
            if cause:
                if alive() and not self._blocks.paused(self._now()):
                    held.take(self._tasks, self._now)
                held.tell()
                return cause
        raise BrokenPipeError

    def _follow(self, task: Task, stop: "LockType", done: "LockType") -> None:
        """A slow source's own loop, in a thread; that nobody reads us any more is the main loop's to tell."""
        held = Held(self._write, self._interval_ns)
        try:
            while not stop.acquire(True, max(0, task.due_ns - self._now()) / 1e9):
                if self._blocks.paused(self._now()):
                    task.skip(self._now())
                else:
                    held.take([task], self._now)
                    if task.back_off():
                        self._tell({"type": "back_off", "source": task.name, "interval_ns": task.interval_ns})
                held.tell_before(task.due_ns)
            stop.release()  # for the others
            held.tell()
        except BrokenPipeError:
            self._is_unread = True
        finally:
            done.release()


class Held:
    """What was read and not told yet: to write each reading would cost more than to read it.

    Nothing is held for longer than ``most_ns`` and HOLD_NS.
    """

    def __init__(self, write: "Callable[[list[tuple[Task, list[Reading]]]], None]", most_ns: int) -> None:
        self._write, self._most_ns = write, min(most_ns, HOLD_NS)
        self._taken = []  # type: list[tuple[Task, list[Reading]]]
        self._since_ns = 0

    def take(self, tasks: "list[Task]", now: "Callable[[], int]") -> None:
        """Read these one after another."""
        if tasks and not self._taken:
            self._since_ns = now()
        for task in tasks:
            self._taken.append((task, task.take(now)))

    def tell_before(self, until_ns: int) -> None:
        """Write now what would be held for too long until then."""
        if self._taken and until_ns - self._since_ns >= self._most_ns:
            self.tell()

    def tell(self) -> None:
        """Write it."""
        if self._taken:
            taken, self._taken = self._taken, []
            self._write(taken)

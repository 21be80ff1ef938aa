"""The loop: every source on deadlines of its own that do not drift; slow ones in threads of their own.

Power that is sampled has its deadlines scattered around their grid: on it, inferences that take a whole part
of the interval would always be seen at the same moment of their course (docs/adr/0010-energy.md).
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from .reading import Reading

PAUSES = (False, True, True, False)  # in turns that cancel a steady drift
# A source that needs more than half of its interval would fill it: its interval is doubled.
WIDTHS, WIDE_PART = 20, 2
JOIN_S = 3.0  # for a read under way; commands and requests have shorter deadlines of their own


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
        skipped = self.skip(ended_ns)
        self.missed += skipped
        if self.slow:
            self._widths_ns.append(ended_ns - began_ns)
        return readings

    def skip(self, now_ns: int) -> int:
        """Move the deadline beyond ``now_ns`` on its grid; returns how many were jumped over."""
        steps = max(0, now_ns - self._grid_ns) // self.interval_ns + 1
        self._grid_ns += steps * self.interval_ns
        self.due_ns = self._grid_ns
        if self._scatter:
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

    def end_ns(self, now_ns: int) -> "int | None":
        """When this stretch is over; None where there is only one."""
        return self._start_ns + (self.number(now_ns) + 1) * self._length_ns if self._length_ns else None


class Sampler:
    """Reads sources at their deadlines; ``write`` gets lists of readings, ``tell`` lines of other types."""

    def __init__(
        self,
        tasks: "list[Task]",
        write: "Callable[[Task, list[Reading]], None]",
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
        if not self._slow:
            return self._loop(alive, wait)
        import threading  # most machines have no slow source

        stop = threading.Event()
        threads = [
            threading.Thread(target=self._follow, args=(task, stop), daemon=True) for task in self._slow
        ]
        for thread in threads:
            thread.start()
        try:
            return self._loop(alive, wait)
        finally:
            stop.set()
            for thread in threads:
                thread.join(JOIN_S)

    def _loop(self, alive: "Callable[[], bool]", wait: "Callable[[float], str | None]") -> str:
        look_ns, told = self._now(), -1
        while alive():
            now_ns = self._now()
            if self._is_unread:
                raise BrokenPipeError
            if self._block_ns and self._blocks.number(now_ns) != told:
                told = self._blocks.number(now_ns)
                self._tell(
                    {"type": "block", "number": told, "paused": self._blocks.paused(now_ns), "t_ns": now_ns}
                )
            if self._blocks.paused(now_ns):
                for task in self._tasks:
                    if task.due_ns <= now_ns:
                        task.skip(now_ns)
            for task in self._tasks:
                if task.due_ns <= now_ns:
                    self._write(task, task.take(self._now))
            now_ns = self._now()
            # Also where no fast source asks for it, we look whether the process is still there.
            if look_ns <= now_ns:
                look_ns = now_ns + self._interval_ns
            ahead = [task.due_ns for task in self._tasks] + [look_ns]
            end_ns = self._blocks.end_ns(now_ns)
            cause = wait(max(0, min(ahead + ([end_ns] if end_ns else [])) - now_ns) / 1e9)
            if cause:
                if alive() and not self._blocks.paused(self._now()):
                    for task in self._tasks:
                        self._write(task, task.take(self._now))
                return cause
        return "gone"

    def _follow(self, task: Task, stop: "threading.Event") -> None:
        """A slow source's own loop; that nobody reads us any more is the main loop's to tell."""
        while not stop.wait(max(0, task.due_ns - self._now()) / 1e9):
            if self._blocks.paused(self._now()):
                task.skip(self._now())
                continue
            try:
                self._write(task, task.take(self._now))
                if task.back_off():
                    line = {"type": "back_off", "source": task.name, "interval_ns": task.interval_ns}
                    self._tell(line)
            except BrokenPipeError:
                self._is_unread = True
                return

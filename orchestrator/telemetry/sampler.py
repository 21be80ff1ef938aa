"""The loop: every source once a tick, on deadlines that do not drift."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .reading import Reading


class Sampler:
    """Calls the sources at ``start + k * interval_ns``; a deadline that passed meanwhile is missed."""

    def __init__(
        self,
        sources: "list[Callable[[], list[Reading]]]",
        write: "Callable[[list[Reading]], None]",
        now: "Callable[[], int]",
        interval_ns: int,
    ) -> None:
        self._sources, self._write, self._now = sources, write, now
        self._interval_ns = interval_ns
        self.ticks = self.missed = 0

    def run(self, alive: "Callable[[], bool]", wait: "Callable[[float], str | None]") -> str:
        """Tick until the process has gone (``gone``) or ``wait`` tells a cause to stop, which is returned.

        ``wait`` gets seconds. The last tick comes after the cause: peaks are read as late as possible.
        """
        start_ns = self._now()
        deadline = 0
        while alive():
            self._tick()
            now_ns = self._now()
            following = max(deadline, (now_ns - start_ns) // self._interval_ns) + 1
            self.missed += following - deadline - 1
            deadline = following
            cause = wait((start_ns + deadline * self._interval_ns - now_ns) / 1e9)
            if cause:
                if alive():
                    self._tick()
                return cause
        return "gone"

    def _tick(self) -> None:
        readings = []  # type: list[Reading]
        for read in self._sources:
            readings += read()
        self._write(readings)
        self.ticks += 1

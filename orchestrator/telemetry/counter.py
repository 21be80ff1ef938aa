"""The steps of a hardware counter added up, so that a consumer needs differences alone.

A counter falls for two causes. It came round to 0 after its range, which is one step more; or what it
counted in was reset (a suspended machine, a driver loaded anew), after which no difference to an earlier
value is true. The second looks like the first with a step that no machine could have made meanwhile.
"""

from .reading import Unavailable

SECOND_NS = 1000000000


class Total:
    """The sum of a counter's steps since its first value, in the counter's own unit.

    ``round_after``: the range after which the counter begins again at 0, None for one that never does.
    ``still_ns``: how long it may stand still, None for ever. ``most_per_s``: no faster does it count.
    """

    def __init__(
        self,
        round_after: "int | None" = None,
        still_ns: "int | None" = SECOND_NS,
        most_per_s: "int | None" = None,
    ) -> None:
        self._round_after, self._still_ns, self._most_per_s = round_after, still_ns, most_per_s
        self._raw = None  # type: int | None
        self._total = self._read_ns = self._moved_ns = 0
        self._reset = False

    def add(self, raw: int, t_ns: int) -> int:
        """The total with this raw value, read at ``t_ns``.

        Raises Unavailable: ``out_of_range`` for a raw value outside the range, which is forgotten;
        ``stale`` for a counter that stands still for too long, and for ever after a reset.
        """
        if raw < 0 or (self._round_after is not None and raw > self._round_after):
            raise Unavailable("out_of_range")
        if self._raw is None:
            self._raw, self._moved_ns = raw, t_ns
        step = raw - self._raw
        if step < 0:
            step = self._round(step, t_ns)
        if self._reset:
            raise Unavailable("stale")
        self._total += step
        self._raw, self._read_ns = raw, t_ns
        if step:
            self._moved_ns = t_ns
        elif self._still_ns is not None and t_ns - self._moved_ns > self._still_ns:
            raise Unavailable("stale")
        return self._total

    def _round(self, step: int, t_ns: int) -> int:
        """The step of a counter that fell."""
        if self._round_after is None:
            self._reset = True
            return 0
        step += self._round_after
        # A second more than has passed, since the counter moves in jumps.
        if self._most_per_s is not None:
            self._reset = step * SECOND_NS > self._most_per_s * (t_ns - self._read_ns + SECOND_NS)
        return step

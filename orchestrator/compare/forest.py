"""Intervals drawn as a forest plot in characters: ``   ├──●──┤│     ``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.statistics.ratio import Ratio

_HALF = 12  # characters to either side of no difference
_LEAST, _MOST = 0.02, 0.5  # of a change, at the ends of the scale


@dataclass(frozen=True)
class Scale:
    """``reach``: the change at both ends, as a share."""

    reach: float

    @property
    def title(self) -> str:
        """``-20 %          0          +20 %`` in the width of the drawings."""
        left, right = f"-{100 * self.reach:.0f} %", f"+{100 * self.reach:.0f} %"
        return f"{left.ljust(_HALF)}0{right.rjust(_HALF)}"

    def draw(self, ratio: Ratio) -> str:
        """The interval with its estimate; an arrow where it leaves the scale."""
        low, middle, high = (self._place(value) for value in (ratio.low, ratio.value, ratio.high))
        found = [" "] * (2 * _HALF + 1)
        found[_HALF] = "│"
        for place in range(max(low, 0), min(high, 2 * _HALF) + 1):
            found[place] = "┼" if place == _HALF else "─"
        for place, end, beyond in ((low, "├", "◂"), (high, "┤", "▸")):
            inside = min(max(place, 0), 2 * _HALF)
            found[inside] = end if inside == place else beyond
        if 0 <= middle <= 2 * _HALF:
            found[middle] = "●"
        return "".join(found)

    def _place(self, value: float) -> int:
        return _HALF + round((value - 1) / self.reach * _HALF)


def scale_of(ratios: Sequence[Ratio | None]) -> Scale | None:
    """One that holds all these intervals, from 2 % to at most 50 %; None without any."""
    ends = [abs(end - 1) for ratio in ratios if ratio for end in (ratio.low, ratio.high)]
    return Scale(min(max(*ends, _LEAST), _MOST)) if ends else None

"""The time that all trainings of a command share."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Budget:
    """``seconds`` for ``fits`` trainings; what one does not use, the later ones have. None: no limit."""

    def __init__(
        self, seconds: float | None = None, fits: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self.fits = fits  # still to come
        self.clock = clock
        self._end = math.inf if seconds is None else clock() + seconds

    def deadline(self) -> float:
        """The clock's time at which the training that now begins should end."""
        now = self.clock()
        share = (self._end - now) / max(1, self.fits)
        self.fits -= 1
        return now + max(0.0, share)


def affordable(done: int, epochs: int, epoch_s: float, left_s: float) -> int:
    """How many of ``epochs`` there will have been when as many more are made as ``left_s`` allows."""
    if math.isinf(left_s):
        return epochs
    return min(epochs, done + max(0, int(left_s / epoch_s)))

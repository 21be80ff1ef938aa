"""Whose turn it is, for two processes: a token in one of two FIFOs, so that who waits takes no CPU time."""

import os


class Turns:
    """``ORDER`` names the side of each block; ``TURNS`` is the folder of the FIFOs ``a`` and ``b``."""

    def __init__(self, side):
        self._side, self._order = side, os.environ["ORDER"]
        self.block = int(os.environ["BLOCK"])
        # Opened for both directions: neither waits for the other to open, or sees an end of file.
        self._fifos = {name: os.open(os.path.join(os.environ["TURNS"], name), os.O_RDWR) for name in "ab"}

    def __iter__(self):
        """The places of our blocks, each when its turn has come."""
        if self._order[0] != self._side:
            self._pass_on()  # we are ready, so the other may begin
        before, after = " " + self._order, self._order[1:] + self._side
        for place, side in enumerate(self._order):
            if side == self._side:
                if before[place] != side:
                    os.read(self._fifos[side], 1)
                yield place
                if after[place] != side:
                    self._pass_on()

    def _pass_on(self):
        os.write(self._fifos["b" if self._side == "a" else "a"], b"!")

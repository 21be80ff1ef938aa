"""Standard output as rich writes it."""

from __future__ import annotations

import errno
import os

from rich.console import Console


class Output(Console):
    """A console that leaves it to the command line how a program ends whose reader is gone."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program with 1, which says of a comparison that something became slower."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

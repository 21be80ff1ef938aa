"""The terminal's face: a full screen that is painted when something changed, and asleep in between."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from orchestrator.watch.follow import Follower
from orchestrator.watch.screen import lines

PAUSE_S = 2.0  # between two looks at the folder
_STALE_S = 10.0  # after which the time left is painted anew although nothing happened
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # another screen without cursor, and back
_HOME, _REST_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


def show(follower: Follower, keys: IO[str], screen: IO[str]) -> None:
    """Paint until the run is finished or somebody leaves with q; raises KeyboardInterrupt at Ctrl+C.

    ``keys`` and ``screen`` are terminals. However it ends, the terminal is as it was.
    """
    with _full_screen(keys, screen):
        painted: tuple[object, float] = (None, 0.0)
        while True:
            news = follower.look()
            size, now_s = os.get_terminal_size(screen.fileno()), time.monotonic()
            if news or size != painted[0] or now_s - painted[1] >= _STALE_S:
                _paint(follower, screen, size)
                painted = size, now_s
            if follower.state and follower.state.finished or _left(keys):
                return


def _paint(follower: Follower, screen: IO[str], size: os.terminal_size) -> None:
    found = lines(follower.state, str(follower.folder), size.columns, size.lines, time.time())
    screen.write(_HOME + f"{_REST_OF_LINE}\r\n".join(found) + _REST_OF_LINE + _REST)
    screen.flush()


def _left(keys: IO[str]) -> bool:
    """Sleep until the next look; whether q was pressed meanwhile."""
    if not select.select([keys], [], [], PAUSE_S)[0]:
        return False
    typed = os.read(keys.fileno(), 64)
    return not typed or b"q" in typed.lower()  # nothing: the terminal is gone


@contextmanager
def _full_screen(keys: IO[str], screen: IO[str]) -> Iterator[None]:
    before = termios.tcgetattr(keys)
    handler = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    tty.setcbreak(keys)
    screen.write(_ENTER)
    screen.flush()
    try:
        yield
    finally:
        screen.write(_LEAVE)
        screen.flush()
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, handler)

"""Reads files and commands as they are, several times, and keeps what each read took."""

from __future__ import annotations

import errno
import glob
import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

REPEATS = 20
_FILE_S, _COMMAND_S = 0.5, 1.0  # no more repeats once so much time has gone
_TIMEOUT_S = 10.0
_LIMIT_BYTES = 1 << 20


class Collection:
    """Contents by path, ``sys-root/...`` and ``commands/...``, and every read of them: ns, errno's name."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.reads: dict[str, list[tuple[int, str | None]]] = {}

    def files(self, root: Path, patterns: Sequence[str]) -> None:
        """All regular files that match; one that is kept already stays as it was."""
        for pattern in patterns:
            for path in sorted(glob.glob(pattern, root_dir=root)):
                name, place = f"sys-root/{path}", root / path
                if name in self.reads or ".." in place.parts or not _is_regular(place):
                    continue
                self._repeat(name, lambda place=place: _read(place), _FILE_S)  # type: ignore[misc]

    def command(self, words: Sequence[str], lines: int | None = None) -> None:
        """Standard output of a command; of one that does not end by itself the first ``lines``."""
        name = f"commands/{file_name(words)}"
        if lines is not None:
            self._repeat(name, lambda: _first_lines(words, lines), 0.0)
        elif name not in self.reads or len(self.reads[name]) < REPEATS:
            self._repeat(name, lambda: _run(words), _COMMAND_S)

    def _repeat(self, name: str, act: Callable[[], bytes], budget_s: float) -> None:
        until_s = time.monotonic() + budget_s
        for _ in range(REPEATS):
            began_ns = time.monotonic_ns()
            error = None
            try:
                self.contents[name] = act()
            except OSError as problem:
                error = errno.errorcode.get(problem.errno or 0, "EIO")
            self.reads.setdefault(name, []).append((time.monotonic_ns() - began_ns, error))
            if error in ("ENOENT", "EACCES", "EPERM") or time.monotonic() >= until_s:
                return


def file_name(words: Sequence[str]) -> str:
    """A command's words as one name of a file, as telemetry's recorder has it."""
    text = "_".join([words[0].rpartition("/")[2], *words[1:]])
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in text)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _read(path: Path) -> bytes:
    # Not Path.read_bytes: a sensor's EAGAIN must come out as such.
    handle = os.open(path, os.O_RDONLY)
    try:
        data = b""
        while len(data) < _LIMIT_BYTES and (part := os.read(handle, 1 << 16)):
            data += part
        return data
    finally:
        os.close(handle)


def _run(words: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
    return done.stdout[:_LIMIT_BYTES]


def _first_lines(words: Sequence[str], count: int) -> bytes:
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as child:
        assert child.stdout
        late = threading.Timer(_TIMEOUT_S, child.kill)
        late.start()
        try:
            return b"".join(child.stdout.readline() for _ in range(count))
        finally:
            late.cancel()
            child.kill()

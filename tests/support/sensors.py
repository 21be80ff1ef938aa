"""Recorded machines for sources of telemetry: files, refusals of the kernel, answers of commands, a clock."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.telemetry.machine import Machine, monotonic_ns, read_file
from orchestrator.telemetry.reading import Reading

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
REFUSALS = (
    (errno.EAGAIN, "eagain"),
    (errno.ENODATA, "enodata"),
    (errno.EACCES, "permission"),
    (errno.EIO, "io_error"),
    (errno.ENOENT, "no_sensor"),  # a file that disappeared
)

Outcome = bytes | int  # what is read, or the error number that is raised


def recorded(
    device: str,
    files: Mapping[str, Outcome] | None = None,
    answers: Mapping[str, Outcome] | None = None,
    now: Callable[[], int] = monotonic_ns,
) -> Machine:
    """A machine of ``tests/fixtures/sys``.

    ``files`` (by the end of their path) and ``answers`` (by a command's words, joined by ``_``) hold or
    raise something else than what was recorded.
    """
    tree = TREES / device
    refusals = tree / "errors"
    refused = dict(line.split() for line in refusals.read_text().splitlines()) if refusals.exists() else {}

    def read(path: str) -> bytes:
        for end, what in (files or {}).items():
            if path.endswith(end):
                return given(what, path)
        name = str(Path(path).relative_to(tree))
        return given(getattr(errno, refused[name]), path) if name in refused else read_file(path)

    def run(words: Sequence[str], _timeout_s: float) -> bytes:
        name = "_".join(words)
        for command, what in (answers or {}).items():
            if command == name:
                return given(what, name)
        return read_file(str(tree / "commands" / name))

    return Machine(str(tree), read, now, run)


def given(what: Outcome, name: str) -> bytes:
    """The bytes, or the error raised."""
    if isinstance(what, int):
        raise OSError(what, os.strerror(what), name)
    return what


def said(readings: Sequence[Reading]) -> dict[str, object]:
    """``source -> value, or the reason for having none``; each source once."""
    names = [reading.channel.source for reading in readings]
    assert len(names) == len(set(names)), names
    return {r.channel.source: r.reason if r.value is None else r.value for r in readings}


class Clock:
    """A clock that goes on by so much at each look."""

    def __init__(self, step_ns: int = 0) -> None:
        self.now_ns, self.step_ns = 1_000_000_000, step_ns

    def __call__(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns

"""One bench per machine: a lock the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain import InferometerError


@contextmanager
def hold(what: str, folder: Path | None = None) -> Iterator[Callable[[str], None]]:
    """Hold the machine's lock for ``what``. Raises InferometerError naming the present holder.

    The file lies in the machine's temporary folder, so that checkouts and users share it; whatever they
    call the machine, it can do one thing at a time. Yields a call that says better what it is held for.
    """
    path = (folder or Path(tempfile.gettempdir())) / "inferometer.lock"
    try:
        handle = _open(path)
    except OSError as problem:
        raise InferometerError(
            f"{path}: the lock cannot be opened ({problem.strerror}); mend or remove it"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InferometerError(_refusal(handle)) from None

        def note(what: str) -> None:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"pid": os.getpid(), "for": what}).encode(), 0)

        note(what)
        yield note
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    # Without O_CREAT first: sticky folders refuse O_CREAT on another user's existing file. Never through
    # a link: anyone may put one there, and what it points to would be overwritten.
    flags = os.O_RDWR | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        handle = os.open(path, flags | os.O_CREAT, 0o666)
        os.fchmod(handle, 0o666)
        return handle


def _refusal(handle: int) -> str:
    try:
        holder: Mapping[str, object] = json.loads(os.pread(handle, 4096, 0))
        who = f"process {holder['pid']} for {holder['for']}"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return f"this machine is in use by {who}; wait for it or stop it"

"""The lock of a board, as a bench there would hold it, held by a program at the far end of the connection."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

# Runs there, on Python 3.6 and later. The same file, and the same words in it, as orchestrator.lock's.
# It ends with the connection; where the board has not noticed yet that it is gone, our next guard knows
# the last one by its token and ends it.
PROGRAM = """
import errno, fcntl, json, os, signal, sys, time
path, token, what = "/tmp/inferometer.lock", sys.argv[1], sys.argv[2]
flags = os.O_RDWR | os.O_NOFOLLOW
try:
    lock = os.open(path, flags)
except FileNotFoundError:
    lock = os.open(path, flags | os.O_CREAT, 0o666)
    os.fchmod(lock, 0o666)
deadline = time.time() + 10
while True:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except OSError as problem:
        if problem.errno not in (errno.EAGAIN, errno.EACCES):
            raise
    try:
        holder = json.loads(os.pread(lock, 4096, 0).decode())
        who, mine = "process %s for %s" % (holder["pid"], holder["for"]), holder.get("token") == token
    except (ValueError, KeyError, TypeError, AttributeError):
        who, mine = "another process", False
    if not mine or time.time() > deadline:
        print("busy " + who, flush=True)
        sys.exit(0)
    try:
        os.kill(holder["pid"], signal.SIGTERM)
    except ProcessLookupError:
        pass
    time.sleep(0.1)
os.ftruncate(lock, 0)
os.pwrite(lock, json.dumps({"pid": os.getpid(), "for": what, "token": token}).encode(), 0)
print("held", flush=True)
while os.read(0, 4096):
    pass
"""


class Token:
    """What our guards on one board are known by: whoever holds its file here is the only one to use it."""

    def __init__(self, address: str):
        name = hashlib.sha256(f"{os.getuid()} {address}".encode()).hexdigest()[:12]
        path = Path(tempfile.gettempdir()) / f"inferometer-{name}.board"
        self.text = secrets.token_hex(8)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another bench from here; the board's own lock decides
        before = self._file.read().decode("ascii", "replace")
        if len(before) == len(self.text):
            self.text = before
        else:
            self._file.write(self.text.encode())

    def close(self) -> None:
        """Leave it to the next bench."""
        self._file.close()

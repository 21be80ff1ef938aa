"""Commands that tell what no file tells, under a deadline."""

import errno
import os
import select
import subprocess
import time

from .machine import CHUNK_BYTES


def run_command(words: "list[str]", timeout_s: float) -> bytes:
    """What a command wrote to standard output, whatever its exit status. Raises OSError.

    A command that is not installed is ENOENT, one that does not answer in time ETIMEDOUT; that one is killed.
    """
    until_s = time.monotonic() + timeout_s

    def left_s() -> float:
        return max(0.0, until_s - time.monotonic())

    pipe, end = os.pipe()
    try:
        child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=end, stderr=subprocess.DEVNULL, close_fds=True
        )
    except OSError:
        os.close(pipe)
        raise
    finally:
        os.close(end)
    data = b""
    try:
        # Waiting on the pipe costs nothing; a timer would need a thread.
        while select.select([pipe], [], [], left_s())[0]:
            chunk = os.read(pipe, CHUNK_BYTES)
            data += chunk
            if not chunk:
                child.wait(left_s())
                return data
    except subprocess.TimeoutExpired:
        pass  # it said all and goes on
    finally:
        os.close(pipe)
        child.kill()  # nothing where it has ended
        child.wait()
    raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), words[0])

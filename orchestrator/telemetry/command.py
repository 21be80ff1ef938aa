"""Commands that tell what no file tells, under a deadline."""

import errno
import os
import signal
import subprocess
import threading


def run_command(words: "list[str]", timeout_s: float) -> bytes:
    """What a command wrote to standard output, whatever its exit status. Raises OSError.

    A command that is not installed is ENOENT, one that does not answer in time ETIMEDOUT.
    """
    child = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True
    )
    # A timer costs nothing while nothing happens; Popen.communicate with a timeout polls.
    late = threading.Event()

    def end() -> None:
        late.set()
        os.kill(child.pid, signal.SIGKILL)

    watch = threading.Timer(timeout_s, end)
    watch.daemon = True
    watch.start()
    try:
        data = child.stdout.read() if child.stdout else b""
        child.wait()
    finally:
        watch.cancel()
        if child.stdout:
            child.stdout.close()
    if late.is_set():
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), words[0])
    return data

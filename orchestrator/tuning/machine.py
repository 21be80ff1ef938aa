"""The machine as tuning changes it: files below a root, and commands that end with us."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from orchestrator.engines.process import die_with
from orchestrator.environment.host import ROOT, Host, Unknown
from orchestrator.files import sync_folder

# Not in the cache: whoever measures next must find it, and that may be another user or checkout.
STATE = "var/lib/inferometer"
_LIMIT_S = 300.0  # swapoff reads everything back


class Refused(Exception):
    """The machine did not take a change; the text is the reason."""


def run_command(words: Sequence[str], answer: str = "") -> str:
    """What a command writes; ``answer`` is its standard input. Raises Refused when it fails.

    It is killed when this process is: what undoes a change must not meet one still going on.
    """
    try:
        done = subprocess.run(
            words,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT_S,
            preexec_fn=partial(die_with, os.getpid()),
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Refused(f"{words[0]}: {problem}") from None
    if done.returncode:
        complaint = done.stdout.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Refused(f"{' '.join(words)}: {complaint[-1]}")
    return done.stdout


class Machine:
    """Files below ``root`` and commands; ``which`` finds a command's path or None."""

    def __init__(
        self,
        root: Path = ROOT,
        run: Callable[[Sequence[str], str], str] = run_command,
        which: Callable[[str], str | None] = shutil.which,
    ):
        self.root, self.host, self.run, self.which = root, Host(root), run, which
        self.state = root / STATE

    def write(self, path: str, value: str) -> None:
        """A line into a file of the kernel's, as ``echo`` writes it. Raises Refused."""
        try:
            handle = os.open(self.root / path, os.O_WRONLY | os.O_TRUNC)
            try:
                os.write(handle, f"{value}\n".encode())
            finally:
                os.close(handle)
        except OSError as problem:
            raise Refused(f"/{path}: takes no {value!r} ({problem.strerror})") from None

    def make_state(self) -> None:
        """The folder of what must outlive us, which everybody may read."""
        if not self.state.is_dir():
            self.state.mkdir(parents=True)
            self.state.chmod(0o755)
            sync_folder(self.state.parent)

    def boot_id(self) -> str | None:
        """Which start of the machine this is; None where the kernel does not tell."""
        try:
            return self.host.text("proc/sys/kernel/random/boot_id")
        except Unknown:
            return None

    def started(self, pid: int) -> str | None:
        """When a process was started, in ticks: with its id, its name for good. None: there is none."""
        try:
            # Field 22 of proc(5) stat; the second is in brackets and may hold anything.
            return self.host.text(f"proc/{pid}/stat").rpartition(")")[2].split()[19]
        except (Unknown, IndexError):
            return None

"""``--jtop``: one line about a Jetson from jetson-stats, whatever state its service is in.

Never inside a measurement window: its service reads the same sensors through the same lock as we do, once
a second, and goes on for four seconds after its last client has left.
"""

import json
import os
import re
import signal
import subprocess
import sys

from .jtop_facts import INSTALL, RESTART, unavailable
from .machine import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A healthy service answers within two seconds; on a slow board its library first lists all packages.
DEADLINE_S = 15.0
MAX_DEADLINE_S = 3600.0
# Where pip puts a command, though a shell without a login may not look there.
PLACES = ("/usr/local/bin", "/usr/bin", os.path.expanduser("~/.local/bin"))
_PYTHON = re.compile(rb"/[^\s'\"]*python[0-9.]*")


def main(words: "list[str]") -> int:
    """``--jtop [--deadline SECONDS]``; exit status 0, 2 for usage."""
    deadline_s = DEADLINE_S
    try:
        if words[1:]:
            option, value = words[1:]
            deadline_s = float(value) if option == "--deadline" else 0.0
    except ValueError:
        deadline_s = 0.0
    if not 0 < deadline_s <= MAX_DEADLINE_S:
        sys.stderr.write("telemetry: --jtop takes --deadline SECONDS and nothing else\n")
        return 2
    places = os.environ.get("PATH", "").split(":") + list(PLACES)
    line = json.dumps(ask(places, deadline_s), separators=(",", ":"))
    sys.stdout.write(line + "\n")
    return 0


def ask(places: "list[str]", deadline_s: float) -> "dict[str, Any]":
    """The object of jtop_facts, at the latest after ``deadline_s``."""
    t0_ns = monotonic_ns()
    python = owner(places)
    if python is None:
        said = "there is no command jtop"
        return unavailable("no_sensor", said, INSTALL, t0_ns, monotonic_ns())
    program = os.path.abspath(__file__).rpartition("/")[0]
    try:
        child = subprocess.Popen(
            [python, program, "--jtop-client"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as problem:
        said = "%s: %s" % (python, problem.strerror)
        return unavailable("no_sensor", said, INSTALL, t0_ns, monotonic_ns())
    try:
        out, complaint = child.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired:
        said = "no answer within %g s" % deadline_s
        return unavailable("timeout", said, RESTART, t0_ns, monotonic_ns())
    finally:
        _end(child)
    try:
        told = json.loads(out.splitlines()[-1].decode("ascii"))
        if told["type"] == "jtop":
            return dict(told)
    except (ValueError, LookupError, TypeError):
        pass
    last = complaint.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
    return unavailable("parse", "%s: %s" % (python, last[0]), INSTALL, t0_ns, monotonic_ns())


def owner(places: "list[str]") -> "str | None":
    """The Python that jetson-stats is installed for, as its command's first lines name it; None without.

    pip writes ``#!/path/python``, or for a long path ``#!/bin/sh`` and ``'''exec' /path/python``.
    """
    for folder in places:
        try:
            with open(os.path.join(folder, "jtop"), "rb") as stream:
                head = stream.read(1024)
        except OSError:
            continue
        found = _PYTHON.search(b"\n".join(head.split(b"\n")[:2]))
        return os.fsdecode(found.group()) if found else "python3"
    return None


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        # With all that it started: one of those could hold its output open.
        os.killpg(child.pid, signal.SIGKILL)
    for stream in (child.stdout, child.stderr):
        if stream:
            stream.close()
    child.wait()

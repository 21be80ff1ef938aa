"""The telemetry program beside an idle process for a while, and what it says it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.engines.observer import PROGRAM, PYTHON_OPTIONS

COMMAND = (sys.executable, *PYTHON_OPTIONS, str(PROGRAM))


@dataclass(frozen=True)
class Cost:
    """Of one run of the program; ``end`` is its last line, ``readings`` the last one of each source."""

    share: float  # of one core: processor time after its start, without children, over that time
    children_share: float  # of the commands it ran
    resident_bytes: int  # the most
    end: Mapping[str, Any]
    readings: Mapping[str, Mapping[str, Any]]

    def latest(self) -> tuple[str, float]:
        """The source that is read latest and by which part of its interval, at the 99th percentile."""
        late = {
            name: figures["late_p99_ns"] / figures["interval_ns"]
            for name, figures in self.end["sources"].items()
            if figures["late_p99_ns"] is not None
        }
        name = max(late, key=lambda name: late[name])
        return name, late[name]


def watch(
    seconds: float,
    sources: Sequence[str],
    root: Path | str = "/",
    command: Sequence[str] = COMMAND,
    path: Path | None = None,
) -> Cost:
    """Watch an idle process. ``path``: a folder of commands that come first.

    Raises InferometerError with what the program complains of.
    """
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    with idle() as pid:
        words = [*command, "--pid", str(pid), "--root", str(root), "--sources", ",".join(sources)]
        # Into a file as in a bench: a pipe would have to be emptied by somebody beside it.
        with open(os.memfd_create("telemetry"), "w+b") as stream:
            child = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.PIPE, env=environment
            )
            assert child.stdin and child.stderr
            time.sleep(seconds)
            child.stdin.close()
            with child.stderr as errors:
                complaint = errors.read().decode(errors="replace")
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            stream.seek(0)
            lines = [json.loads(line) for line in stream]
    if child.returncode or complaint or not lines or lines[-1]["type"] != "end":
        raise InferometerError(f"telemetry ended with {child.returncode}: {complaint.strip()[-300:]}")
    return cost(lines, round((used.ru_utime + used.ru_stime) * 1e9))


def cost(lines: Sequence[Mapping[str, Any]], whole_ns: int) -> Cost:
    """Reduce the program's lines; ``whole_ns``: its processor time with that of its children."""
    end = lines[-1]
    length_ns = end["t_ns"] - lines[0]["t_ns"]
    share = (end["cpu_ns"] - end["startup_cpu_ns"]) / length_ns
    readings = {line["source"]: line for line in lines if line["type"] == "reading"}
    children = max(0, whole_ns - end["cpu_ns"]) / length_ns  # and of its own last moments
    return Cost(share, children, end["max_rss_bytes"], end, readings)


@contextmanager
def idle() -> Iterator[int]:
    """The process id of one that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            yield child.pid
        finally:
            child.kill()

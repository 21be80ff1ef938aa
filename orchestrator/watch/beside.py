"""The live page beside a bench of this very terminal: a process of its own, kept out of the runner's way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from orchestrator.engines.cores import split_cores

_NICENESS = 19


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Show the run in ``folder`` on this terminal; its end is the caller's to bring about."""
    process = subprocess.Popen([sys.executable, "-m", "orchestrator", "watch", str(folder)])
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        os.sched_setaffinity(process.pid, cores(folder, tuple(sorted(os.sched_getaffinity(0)))))
    except ProcessLookupError:
        pass  # it ended at once and said why
    return process


def cores(folder: Path, all_cores: tuple[int, ...]) -> tuple[int, ...]:
    """Those that no trial of the run is given, as far as there are such."""
    plan = json.loads((folder / "run.json").read_bytes())["plan"]
    most = max((item["case"]["threads"] for item in plan["trials"]), default=1)
    return split_cores(all_cores, most)[1]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it and wait until the terminal is as it was."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

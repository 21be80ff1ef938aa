"""What ``inferometer watch`` takes beside a bench of one-second trials: share of a core over a minute.

The real command fills a pseudo-terminal that somebody reads; the folder gets a new trial every second. Ours
is the processor time of the minute after its first page; its start is told in the note, as it happens once,
and before the first trial where the bench starts it. The peer is ``tail -f`` of the same file.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.place import Place, scratch
from benchmarks.result_folder import write

FIGURES = ("watch_cost",)
LIMIT = 0.003
_WATCHED_S, _CASES, _LAUNCHES = 60, 40, 5
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def measure(place: Place) -> Iterator[Figure]:
    """The one figure; ours and its peer watch the same minute."""
    with scratch() as parent:
        made = write(parent / "made", _CASES, _LAUNCHES, 200)
        folder = parent / "run"
        folder.mkdir()
        shutil.copy(made.folder / "run.json", folder)
        trials = folder / "trials.jsonl"
        lines = made.trials_path.read_bytes().splitlines(keepends=True)
        trials.write_bytes(b"".join(lines[:60]))
        environment = {**os.environ, "PYTHONPATH": str(place.root), "TERM": "xterm"}
        watcher = _on_terminal([*place.command, "watch", str(folder)], environment)
        peer = _on_terminal(["tail", "-f", str(trials)], environment)
        try:
            time.sleep(3)
            start_s, peer_start_s = _cpu_s(watcher), _cpu_s(peer)
            for line in lines[60 : 60 + _WATCHED_S]:
                _append(trials, line)
                time.sleep(1)
            ours, theirs = (
                (_cpu_s(watcher) - start_s) / _WATCHED_S,
                (_cpu_s(peer) - peer_start_s) / _WATCHED_S,
            )
        finally:
            for process in (watcher, peer):
                process.kill()
                process.wait()
    note = f"peer: tail -f; a trial a second for {_WATCHED_S} s; start-up {start_s:.2f} s of processor time"
    limit = f"<= {LIMIT:.1%} of a core"
    yield Figure(FIGURES[0], "%", 100 * ours, 100 * theirs, limit, ours <= LIMIT, note)


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(line)


def _on_terminal(words: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a program on a pseudo-terminal; a thread reads what it paints."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    os.close(slave)
    threading.Thread(target=_drain, args=(master,), daemon=True).start()
    return process


def _drain(master: int) -> None:
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # the program has ended
        os.close(master)


def _cpu_s(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process so far; the kernel counts in ticks, mostly of 10 ms."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S

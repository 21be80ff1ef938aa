"""``inferometer watch`` as a process beside a folder that grows: a terminal, a browser, a script."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from benchmarks.result_folder import write
from tests.support.newcomer import FAKE, environment, inferometer, refused

WAIT_S = 30.0


class Bench:
    """Writes a made run line by line into ``run`` as a bench would."""

    def __init__(self, place: Path):
        made = write(place / "made", 2, 2, 50)
        self.folder, self._header = place / "run", (made.folder / "run.json").read_bytes()
        self._lines = made.trials_path.read_bytes().splitlines(keepends=True)

    def begin(self) -> None:
        self.folder.mkdir()
        (self.folder / "run.json").write_bytes(self._header)

    def trial(self, torn: bool = False) -> None:
        line = self._lines[0] if torn else self._lines.pop(0)
        with (self.folder / "trials.jsonl").open("ab") as stream:
            stream.write(line[:50] if torn else line)

    def mend(self) -> None:
        """As a resumed bench drops a torn line."""
        path = self.folder / "trials.jsonl"
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)

    def finish(self) -> None:
        (self.folder / "summary.json").write_text("{}")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class Screen:
    """A command on a terminal of 100 x 30."""

    def __init__(self, place: Path, command: Sequence[str]):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(slave)
        words = [sys.executable, "-m", "orchestrator", *command]
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        env = environment(place, TERM="xterm")
        self.process = subprocess.Popen(words, cwd=place, env=env, start_new_session=True, **streams)
        self.slave, self.seen = slave, ""

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def until(self, text: str) -> None:
        """Read on until the screen has shown the text."""
        self._read(lambda: text in self.seen)

    def end(self) -> int:
        """The exit status; everything it wrote has been seen."""
        self._read(
            lambda: self.process.poll() is not None and not select.select([self._master], [], [], 0)[0]
        )
        return self.process.returncode

    def _read(self, is_enough: Callable[[], bool]) -> None:
        end_s = time.monotonic() + WAIT_S
        while not is_enough():
            assert time.monotonic() < end_s, self.seen
            if select.select([self._master], [], [], 0.1)[0]:
                self.seen += os.read(self._master, 65536).decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self.slave)


@contextmanager
def screen(place: Path, *command: str) -> Iterator[Screen]:
    made = Screen(place, command or ("watch", "run"))
    try:
        yield made
    finally:
        made.close()


def test_a_terminal_follows_a_bench_from_before_its_folder_to_its_end(tmp_path: Path, bench: Bench) -> None:
    with screen(tmp_path) as shown:
        shown.until("waiting for a bench in run")
        bench.begin()
        bench.trial()
        shown.until("1 of 4 trials")
        bench.trial(torn=True)
        bench.mend()
        bench.trial()
        shown.until("2 of 4 trials")
        bench.finish()
        assert shown.end() == 0
        assert shown.seen.endswith("run is finished; inferometer report run\r\n")
        assert "\x1b[?1049h" in shown.seen  # another screen, and back
        assert shown.seen.rindex("\x1b[?1049l") > shown.seen.rindex("finished\x1b")
        assert termios.tcgetattr(shown.slave) == shown.before
        assert "Traceback" not in shown.seen


@pytest.mark.parametrize(("keys", "status"), [(b"q", 0), (b"\x03", 130)])
def test_leaving_the_page_mends_the_terminal(tmp_path: Path, bench: Bench, keys: bytes, status: int) -> None:
    bench.begin()
    bench.trial()
    with screen(tmp_path) as shown:
        shown.until("1 of 4 trials")
        if keys == b"q":
            shown.type(keys)
        else:  # the terminal is not this process's: it would not pass Ctrl+C on
            shown.process.send_signal(signal.SIGINT)
        assert shown.end() == status
        assert termios.tcgetattr(shown.slave) == shown.before
        assert "\x1b[?1049l" in shown.seen
        assert "Traceback" not in shown.seen


def test_a_bench_shows_its_own_page_and_then_its_table(tmp_path: Path) -> None:
    with screen(tmp_path, "bench", *FAKE, "--launches", "3", "--results", "run", "--watch") as shown:
        shown.until(" of 3 trials")
        assert shown.end() == 0
        page, _, after = shown.seen.rpartition("\x1b[?1049l")
        assert "q leaves this page; the bench goes on" in page
        assert "95 % interval" in after
        assert after.splitlines()[-1] == "run"
        assert termios.tcgetattr(shown.slave) == shown.before
        assert "Traceback" not in shown.seen


def test_a_browser_follows_a_bench(tmp_path: Path, bench: Bench) -> None:
    words = [sys.executable, "-m", "orchestrator", "watch", "run", "--serve", "127.0.0.1:0"]
    env = environment(tmp_path)
    with subprocess.Popen(words, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = process.stderr.readline().split()[0]
            page = lambda: urlopen(url, timeout=WAIT_S).read().decode()  # noqa: E731
            assert "Waiting for a bench" in page()
            bench.begin()
            bench.trial()
            assert "1 of 4 trials" in page()
            with pytest.raises(HTTPError, match="404"):
                urlopen(f"{url}run.json", timeout=WAIT_S)
            bench.finish()
            assert "finished" in page()
        finally:
            process.kill()


def test_what_cannot_be_is_said(tmp_path: Path, bench: Bench) -> None:
    refused(inferometer(tmp_path, "watch"), "results holds no unfinished run; name a results folder")
    refused(inferometer(tmp_path, "watch", "run"), "watch fills a terminal, and this is none; use --serve")
    refused(inferometer(tmp_path, "watch", "run", "--serve", "8765"), "--serve '8765': write HOST:PORT")


def test_scripts_get_json(tmp_path: Path, bench: Bench) -> None:
    bench.begin()
    bench.trial()
    told = json.loads(inferometer(tmp_path, "watch", "run", "--json").stdout)
    assert (len(told["state"]["trials"]), told["state"]["finished"]) == (1, False)
    assert told["left_s"] >= 0

"""A board whose sensors play traces: a tree of files that changes in real time while others read it.

The telemetry program is given the tree as its root, so it reads what it would read on a board, through the
same files, at its own moments. Nothing is faked beyond the files, and the commands of a Raspberry Pi.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.wrapped import Wrapped
from orchestrator.engines import observer
from orchestrator.engines.launch import Handle, Launch, Outcome, Watch
from orchestrator.measurement import Line, parse_lines
from tests.support.power_traces import Sensor, Window

TREES = Path(__file__).parent.parent / "fixtures/sys"
PERIOD_S = 0.02
# What a file holds at a time of the board in s; None: it is not there.
Show = Callable[[float], "bytes | None"]


class Board:
    """A copy of a recorded tree with this machine's real ``proc``; its clock starts when it is made.

    While it is entered, a thread writes what files :meth:`play`. A number is written over the one before in
    one call and with the same width: of 250,000 reads beside a writer that never paused none was torn.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.root = folder / "board"
        self.origin_ns = time.monotonic_ns()
        ignore = shutil.ignore_patterns("proc")
        shutil.copytree(TREES / name, self.root, symlinks=True, ignore=ignore)
        # The runner is a process of this machine, and so are the clock's marks.
        (self.root / "proc").symlink_to("/proc")
        self._shows: dict[str, Show] = {}
        self._held: dict[str, bytes | None] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Board:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        self._thread.join()

    def restart(self) -> None:
        """Its clock begins anew."""
        self.origin_ns = time.monotonic_ns()

    def now(self) -> float:
        """The board's time in s."""
        return self.seconds(time.monotonic_ns())

    def seconds(self, t_ns: int) -> float:
        """The board's time at a moment of CLOCK_MONOTONIC."""
        return (t_ns - self.origin_ns) / 1e9

    def window(self, marks_ns: tuple[int, int]) -> Window:
        """A runner's marks in the board's time."""
        return self.seconds(marks_ns[0]), self.seconds(marks_ns[1])

    def write(self, path: str, text: str) -> None:
        """A file that stays as it is."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def play(self, path: str, show: Show) -> None:
        """From now on the file shows this, also where it showed something else."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._shows[path] = show
            self._update(path, show)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            with self._lock:
                for path, show in self._shows.items():
                    self._update(path, show)

    def _update(self, path: str, show: Show) -> None:
        data, before, target = show(self.now()), self._held.get(path), self.root / path
        self._held[path] = data
        if data == before:
            return
        if data is None:
            target.unlink(missing_ok=True)
        elif before is not None and len(before) == len(data):
            with target.open("r+b", buffering=0) as file:
                os.pwrite(file.fileno(), data, 0)
        else:
            new = self.root / "new"
            new.write_bytes(data)
            new.replace(target)


def gone(t_s: float) -> None:
    """The file is not there."""


def garbage(t_s: float) -> bytes:
    """No number."""
    return b"\xff\xfe?\n"


def stuck(show: Show, from_s: float) -> Show:
    """What it showed then, for ever."""
    return lambda t_s: show(min(t_s, from_s))


def during(spans: Sequence[Window], fault: Show, show: Show) -> Show:
    """A fault within these times."""
    return lambda t_s: (fault if any(start <= t_s < end for start, end in spans) else show)(t_s)


def whole(value: Callable[[float], float]) -> Show:
    """A file of one whole number, of equal width at all times."""
    return lambda t_s: b"%016d\n" % round(value(t_s))


def scaled(sensor: Sensor, factor: float) -> Show:
    """A sensor in another unit."""
    return whole(lambda t_s: sensor.value(t_s) * factor)


def rapl(
    board: Board, zone: str, name: str, sensor: Sensor, start_uj: int = 0, range_uj: int = 262143328850
) -> str:
    """A zone of RAPL: its counter starts at ``start_uj`` and comes round. The path of its energy."""
    folder = f"sys/class/powercap/{zone}"
    board.write(f"{folder}/name", f"{name}\n")
    board.write(f"{folder}/max_energy_range_uj", f"{range_uj}\n")
    path = f"{folder}/energy_uj"
    board.play(path, whole(lambda t_s: (start_uj + math.floor(sensor.value(t_s) * 1e6)) % range_uj))
    return path


def ina2xx(board: Board, number: int, label: str, sensor: Sensor, fault: Callable[[Show], Show]) -> None:
    """A chip in hwmon with its power in uW; ``fault`` makes of what it shows what is seen."""
    folder = f"sys/class/hwmon/hwmon{number}"
    board.write(f"{folder}/name", "ina219\n")
    board.write(f"{folder}/label", f"{label}\n")
    board.play(f"{folder}/power1_input", fault(scaled(sensor, 1e6)))


def ina3221_iio(board: Board, rail: str, sensor: Sensor) -> None:
    """JetPack 4: milliwatts."""
    folder = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    board.write(f"{folder}/rail_name_0", f"{rail}\n")
    board.play(f"{folder}/in_power0_input", scaled(sensor, 1e3))


def ina3221_hwmon(board: Board, number: int, rail: str, sensor: Sensor, volts: float = 5.072) -> None:
    """JetPack 5 and 6: millivolts that stay, milliamperes that do not."""
    folder = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
    board.write(f"{folder}/in{number}_label", f"{rail}\n")
    board.write(f"{folder}/in{number}_input", f"{volts * 1e3:.0f}\n")
    board.play(f"{folder}/curr{number}_input", scaled(sensor, 1e3 / volts))


class Firmware:
    """A Raspberry Pi's answers in files, and a ``vcgencmd`` that prints them; ``folder`` is for PATH."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.folder = board.root / "bin"
        self.folder.mkdir()
        script = self.folder / "vcgencmd"
        script.write_text(f'#!/bin/sh\nexec cat "{board.root}/answers/$1${{2:+_$2}}"\n')
        script.chmod(0o755)

    def play(self, words: str, show: Show) -> None:
        """What a question is answered with."""
        self._board.play(f"answers/{words.replace(' ', '_')}", show)

    def pmic(self, sensor: Sensor) -> None:
        """The recorded answer of ``pmic_read_adc``, its currents scaled to the power of all rails."""
        said = (TREES / "rpi5/commands/vcgencmd_pmic_read_adc").read_text().splitlines()
        rows = [line.partition("=") for line in said]
        numbers = {head.split()[0]: float(value[:-1]) for head, _, value in rows}
        recorded_w = sum(
            value * numbers[f"{name[:-2]}_V"] for name, value in numbers.items() if name.endswith("_A")
        )

        def show(t_s: float) -> bytes:
            factor = sensor.value(t_s) / recorded_w
            lines = [
                f"{head}={float(value[:-1]) * (factor if value[-1] == 'A' else 1):.8f}{value[-1]}"
                for head, _, value in rows
            ]
            return ("\n".join(lines) + "\n").encode()

        self.play("pmic_read_adc", show)


@dataclass
class Rooted(Wrapped):
    """An engine of this machine whose telemetry reads a board's tree; ``before`` hears of each launch."""

    root: Path
    before: Callable[[int], None] = lambda number: None
    launches: int = field(default=0, init=False)

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """As the engine does."""
        self.before(self.launches)
        self.launches += 1
        return self.engine.launch(launch, on_started)

    def observe(self, pid: int, watch: Watch, path: Path) -> Callable[[], None]:
        """As every engine does, but for the root."""
        with path.open("wb") as stream:
            command = self._command(observer.arguments(pid, watch))
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stream)
        return lambda: observer.stop(child)

    def sense(self, sources: Sequence[str]) -> Sequence[Line]:
        """As every engine does, but for the root."""
        command = self._command(observer.once(sources))
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        return parse_lines(done.stdout)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        program = [sys.executable, *observer.PYTHON_OPTIONS, str(observer.PROGRAM)]
        return [*program, *arguments, "--root", str(self.root)]

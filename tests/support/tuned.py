"""Machines of plain files that can be tuned, and a worker that tunes them in processes it kills.

``python -m tests.support.tuned`` reads one JSON command a line, forks a child for it, and answers with one
line; ``kill`` is the number of the write, counted from 0, at which the child kills itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator import tuning
from orchestrator.domain import InferometerError
from orchestrator.tuning.machine import Refused

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
CPU = "sys/devices/system/cpu"
ASLR = "proc/sys/kernel/randomize_va_space"
GPU = "sys/class/devfreq/17000000.gpu"
HIDDEN = "sys/kernel/debug/emc"  # jetson_clocks sets it and nobody else looks at it
MODES = {"15W": 1344000, "25W": 1497600, "MAXN_SUPER": 1728000, "7W": 960000}  # kHz
REBOOTS = "7W"  # the mode that asks for a reboot
SWAPS = (("/dev/zram0", "partition", 5), ("/swap\\040file", "file", -2), ("/dev/sda2", "partition", -3))


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def swap_lines(found: Sequence[tuple[str, str, int]], used_kb: int = 0) -> str:
    """``/proc/swaps`` with these (device, kind, priority)."""
    rows = [f"{name:40}{kind}\t\t4194300\t\t{used_kb}\t\t{priority}" for name, kind, priority in found]
    return "\n".join(["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority", *rows])


def desktop(root: Path) -> Path:
    """A recorded one, with what tuning needs besides."""
    shutil.copytree(TREES / "i5-desktop", root, symlinks=True)
    for policy in sorted((root / CPU / "cpufreq").iterdir()):
        name = str(policy.relative_to(root))
        write(root, f"{name}/scaling_available_governors", "performance powersave")
        write(root, f"{name}/energy_performance_preference", "balance_performance")
    _common(root)
    return root


def jetson(root: Path) -> Path:
    """A recorded one, with power modes and clocks composed."""
    shutil.copytree(TREES / "jetson-orin-nano", root, symlinks=True)
    for number in (0, 4):
        policy = f"{CPU}/cpufreq/policy{number}"
        for name, text in (("governor", "schedutil"), ("min_freq", "729600"), ("max_freq", "1300000")):
            write(root, f"{policy}/scaling_{name}", text)
        write(root, f"{policy}/scaling_available_governors", "conservative ondemand performance schedutil")
    for name, text in (("min_freq", "306000000"), ("max_freq", "918000000")):
        write(root, f"{GPU}/{name}", text)
    lines = [f"< POWER_MODEL ID={number} NAME={name} >" for number, name in enumerate(MODES)]
    write(root, "etc/nvpmodel.conf", "\n".join(lines))
    write(root, "var/lib/nvpmodel/status", "pmode:0000 fmode:fan_mode_quiet")
    write(root, HIDDEN, "free")
    _common(root)
    return root


def _common(root: Path) -> None:
    write(root, "proc/swaps", swap_lines(SWAPS))
    write(root, "proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB")
    write(root, "proc/sys/kernel/randomize_va_space", "2")
    write(root, "proc/sys/kernel/random/boot_id", "first")
    (root / "var/lib").mkdir(parents=True, exist_ok=True)


BOARDS = {
    "desktop": (desktop, "governor=performance,turbo=off,clocks=locked,swap=off,aslr=off"),
    "jetson": (jetson, "nvpmodel=MAXN_SUPER,governor=performance,clocks=locked,swap=off,aslr=off"),
}


def content(root: Path) -> dict[str, bytes | None]:
    """Every file and folder below a root; links are left alone."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
        if not path.is_symlink()
    }


@contextmanager
def root_of(board: str) -> Iterator[Path]:
    """A tree to be written to often: in memory where there is such a place, as every write is synced."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield BOARDS[board][0](Path(folder) / "root")


class Machine(tuning.Machine):
    """Plain files, drivers that move more than they are told to, and the tools a machine has."""

    def __init__(self, root: Path):
        super().__init__(root, self.tool, lambda name: f"/usr/sbin/{name}")
        self.commands: list[str] = []

    def write(self, path: str, value: str) -> None:
        super().write(path, value)
        if path.endswith("scaling_governor") and value == "performance":  # and it is not moved back
            preference = path.replace("scaling_governor", "energy_performance_preference")
            if (self.root / preference).exists():
                super().write(preference, "performance")
        if path.endswith("no_turbo"):
            for policy in self.host.folders(f"{CPU}/cpufreq/policy*"):
                super().write(f"{policy}/scaling_max_freq", "2500000" if value == "1" else "4800000")

    def tool(self, words: Sequence[str], answer: str) -> str:
        self.commands.append(" ".join(words))
        said: str = getattr(self, f"_{words[0]}")(list(words[1:]), answer)
        return said

    def _swapoff(self, words: list[str], answer: str) -> str:
        self._swap([item for item in self._swaps() if item[0] != words[0].replace(" ", "\\040")])
        return ""

    def _swapon(self, words: list[str], answer: str) -> str:
        name = words[-1].replace(" ", "\\040")
        found = self._swaps()
        if any(item[0] == name for item in found):
            raise Refused(f"swapon: {name}: Device or resource busy")
        lowest = min([item[2] for item in found if item[2] < 0], default=-1)
        priority = int(words[1]) if words[0] == "-p" else lowest - 1
        kind = "file" if "file" in name else "partition"
        self._swap(sorted([*found, (name, kind, priority)], key=lambda item: -item[2]))
        return ""

    def _swaps(self) -> list[tuple[str, str, int]]:
        rows = [line.split() for line in self.host.text("proc/swaps").splitlines()[1:]]
        return [(row[0], row[1], int(row[4])) for row in rows]

    def _swap(self, found: list[tuple[str, str, int]]) -> None:
        super().write("proc/swaps", swap_lines(found))

    def _nvpmodel(self, words: list[str], answer: str) -> str:
        name = list(MODES)[int(words[1])]
        if name == REBOOTS:
            assert answer.startswith("no")
            return "NVPM WARN: Reboot required for changing to this power mode: 3\nDO YOU WANT TO REBOOT NOW?"
        for policy in self.host.folders(f"{CPU}/cpufreq/policy*"):
            super().write(f"{policy}/scaling_max_freq", str(MODES[name]))
        super().write(f"{GPU}/max_freq", str(MODES[name] * 600))
        super().write("var/lib/nvpmodel/status", f"pmode:{int(words[1]):04} fmode:fan_mode_quiet")
        return ""

    def _jetson_clocks(self, words: list[str], answer: str) -> str:
        limits = [
            (f"{folder}/{prefix}min_freq", f"{folder}/{prefix}max_freq")
            for pattern, prefix in ((f"{CPU}/cpufreq/policy*", "scaling_"), (GPU, ""))
            for folder in self.host.folders(pattern)
        ]
        if not words:
            super().write(HIDDEN, "locked")
            for low, high in limits:
                super().write(low, self.host.text(high))
        elif words[0] == "--store":
            kept = {path: self.host.text(path) for path in (HIDDEN, *(low for low, _ in limits))}
            Path(words[1]).write_text(json.dumps(kept))
        else:
            for path, text in json.loads(Path(words[1]).read_bytes()).items():
                super().write(path, text)
        return ""


def tuned(root: Path, wish: str, said: list[str] | None = None) -> tuning.Tuning:
    """A tuning that is on."""
    found = tuning.Tuning(tuning.parse(wish), Machine(root), (said if said is not None else []).append)
    found.check()
    found.on()
    return found


def refusal(call: Callable[[], object]) -> str:
    """The one line that a call is refused with."""
    with pytest.raises(InferometerError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _bench(machine: Machine, wish: str) -> None:
    """As a bench does it: put back what another left, look, tune, put back."""
    tuning.put_back(machine, 0)
    tuned = tuning.Tuning(tuning.parse(wish), machine)
    tuned.check()
    tuned.on()
    tuned.off()


_WRITES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate")


def _kill_at(number: int, root: str) -> None:
    """Let the kernel kill us just before that write below ``root``."""
    seen = 0

    def watch(event: str, words: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = event in _WRITES or (event == "open" and words[2] & (os.O_WRONLY | os.O_RDWR))
        if writes and str(words[0]).startswith(root):
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(watch)


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                machine = Machine(Path(command["root"]))
                if command["kill"] is not None:
                    _kill_at(command["kill"], command["root"])
                if command["wish"]:
                    _bench(machine, command["wish"])
                else:
                    tuning.put_back(machine, 0)
                os._exit(0)
            except InferometerError as problem:
                sys.stderr.write(f"{problem}\n")
                os._exit(1)
        status = os.waitpid(child, 0)[1]
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        print(code, flush=True)


class Worker:
    """The other end."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.tuned"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._popen = subprocess.Popen(command, text=True, cwd=TREES.parent.parent.parent, **pipes)

    def do(self, root: Path, wish: str, kill: int | None) -> bool:
        """Tune by a wish, or put back without one. Whether it was killed; what fails otherwise raises."""
        assert self._popen.stdin
        assert self._popen.stdout
        self._popen.stdin.write(json.dumps({"root": str(root), "wish": wish, "kill": kill}) + "\n")
        self._popen.stdin.flush()
        status = int(self._popen.stdout.readline())
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def end(self) -> None:
        self._popen.communicate()


if __name__ == "__main__":
    main()

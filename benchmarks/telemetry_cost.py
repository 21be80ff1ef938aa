"""What the telemetry program takes on each device, by its own last line, and how late it reads.

The real program reads the profile's sources at the profile's rates for 20 s beside an idle process, on a copy
of the device's recorded tree with this machine's ``proc``. Recorded files answer at once, so what a driver
takes (a conversion of an INA3221: 6.6 ms) is not in it; nor is the processor the device's. Before its first
reading it imports: not counted, as nothing is measured then. A Raspberry Pi's firmware is a double that
answers the driver's system call; ``telemetry_vcio`` has as its peer the way round where that call is not to
be had: a process a question, whose time counts as well. That one is above the limit.

``telemetry_late``: of all sources of all devices the largest 99th percentile of how late a reading began, as
part of the source's interval. Wants a machine that does nothing else.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.entry import PROGRAMS
from benchmarks.figure import Figure
from benchmarks.place import Place, scratch
from benchmarks.watching import COMMAND, Cost, watch
from orchestrator.engines.observer import PROGRAM, PYTHON_OPTIONS
from orchestrator.telemetry.vcio import question
from tests.support.firmware import Firmware

# device -> its recorded tree
TREES = {
    "jetson-nano": "jetson-nano",
    "jetson-orin-nano": "jetson-orin-nano",
    "nuc": "nuc",
    "rpi4": "rpi4",
    "rpi5": "rpi5",
    "x86": "i5-desktop",
}
CPU_FIGURES = tuple(f"telemetry_cpu_{device}" for device in TREES)
VCIO, MEMORY, LATE = "telemetry_vcio", "telemetry_memory", "telemetry_late"
FIGURES = (*CPU_FIGURES, VCIO, MEMORY, LATE)
SECONDS = 20.0
CPU_LIMIT, MEMORY_LIMIT_MB, LATE_LIMIT = 0.005, 25.0, 0.2
CPU_LIMIT_TEXT = f"<= {100 * CPU_LIMIT:g} %"
QUESTIONS = ("pmic_read_adc", "get_throttled", "measure_clock arm", "measure_temp")
_VCIO_DEVICE = "rpi5"


def measure(place: Place) -> Iterator[Figure]:
    """A figure a device, then those of all."""
    found: dict[str, Cost] = {}
    with scratch() as folder:
        for device, name in TREES.items():
            root = tree(place.root, name, folder)
            found[device] = watch(
                SECONDS,
                place.catalog.device(device).sources,
                root,
                with_firmware(root, folder) if answers(root) else COMMAND,
            )
            yield _cpu(device, found[device])
        root = tree(place.root, TREES[_VCIO_DEVICE], folder)
        sources = place.catalog.device(_VCIO_DEVICE).sources
        cost = watch(SECONDS, sources, root, path=commands(root, folder))
    ours, theirs = (100 * (one.share + one.children_share) for one in (found[_VCIO_DEVICE], cost))
    note = f"peer: vcgencmd run for each question, {100 * cost.share:.2f} % without those; {_VCIO_DEVICE}"
    yield Figure(VCIO, "%", ours, theirs, "< peer", ours < theirs, note)
    device, cost = max(found.items(), key=lambda item: item[1].resident_bytes)
    total_mb = cost.resident_bytes / 1e6
    limit = f"<= {MEMORY_LIMIT_MB:g} MB"
    yield Figure(MEMORY, "MB", total_mb, None, limit, total_mb <= MEMORY_LIMIT_MB, f"the most: {device}")
    device, cost = max(found.items(), key=lambda item: item[1].latest()[1])
    source, late = cost.latest()
    note = f"of the interval, p99, the latest: {source} of {device}; load average {os.getloadavg()[0]:.1f}"
    yield Figure(LATE, "%", 100 * late, None, f"<= {100 * LATE_LIMIT:g} %", late <= LATE_LIMIT, note)


def _cpu(device: str, cost: Cost) -> Figure:
    missed = f", {cost.end['missed']} missed" if cost.end["missed"] else ""
    note = f"of one core; {cost.end['ticks']} reads{missed}, {cost.resident_bytes / 1e6:.1f} MB"
    held = cost.share <= CPU_LIMIT
    return Figure(f"telemetry_cpu_{device}", "%", 100 * cost.share, None, CPU_LIMIT_TEXT, held, note)


def tree(root: Path, name: str, folder: Path) -> Path:
    """A copy of a recorded tree in ``folder`` whose processes are this machine's."""
    made = folder / name
    if not made.exists():
        shutil.copytree(root / "tests" / "fixtures" / "sys" / name, made, symlinks=True)
        shutil.rmtree(made / "proc", ignore_errors=True)
        (made / "proc").symlink_to("/proc")
    return made


def answers(root: Path) -> dict[str, bytes]:
    """What a tree's firmware says to each question; nothing where it has none."""
    files = {words: root / "commands" / f"vcgencmd_{words.replace(' ', '_')}" for words in QUESTIONS}
    return {words: file.read_bytes().rstrip(b"\n") for words, file in files.items() if file.exists()}


def with_firmware(root: Path, folder: Path) -> tuple[str, ...]:
    """The program with a door to the firmware behind which these answers lie."""
    firmware = Firmware(answers(root))
    lines = []
    for words in QUESTIONS:
        asked = question(words.encode("ascii"))
        message = bytearray(asked)
        firmware.answer(message)
        lines.append(f"{asked.hex()} {message.hex()}\n")
    path = folder / f"{root.name}.answers"
    path.write_text("".join(lines))
    program = str(PROGRAMS / "firmware_telemetry.py")
    return sys.executable, *PYTHON_OPTIONS, program, str(PROGRAM.parent), str(path)


def commands(root: Path, folder: Path) -> Path:
    """A folder with a command that says the same."""
    made = folder / "bin"
    made.mkdir()
    cases = "".join(
        f"{shlex.quote(words)}) printf '%s\\n' {shlex.quote(said.decode('ascii'))} ;;\n"
        for words, said in answers(root).items()
    )
    (made / "vcgencmd").write_text(f'#!/bin/sh\ncase "$*" in\n{cases}esac\n')
    (made / "vcgencmd").chmod(0o755)
    return made

"""Which cores the runner gets and which stay for what watches it, from what sysfs tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_CPU = "sys/devices/system/cpu"
# How fast a core is beside the others; the first that every core tells counts.
_SPEEDS = ("cpu_capacity", "cpufreq/cpuinfo_max_freq")


def split_cores(
    cores: tuple[int, ...], threads: int, root: Path = Path("/")
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(runner's cores, ours), both in order.

    The runner gets the fastest, one hardware thread of each physical core before a second of any, and
    among equals the last, as core 0 takes interrupts. Ours are the rest without siblings of the runner's,
    or with them where nothing else remains. Where all cores are needed, both get all: the observer then
    shares them, and the record's cores say so.
    """
    if threads >= len(cores):
        return cores, cores
    siblings = {core: _siblings(root, core) & set(cores) for core in cores}
    speed = _speeds(root, cores)

    def rank(core: int) -> tuple[int, int, int, int]:
        later = sum(other > core for other in siblings[core])  # 0: the one of its physical core to take first
        return -later, speed[core], max(siblings[core]), core

    theirs = sorted(cores, key=rank)[-threads:]
    rest = set(cores) - set(theirs)
    apart = rest.difference(*(siblings[core] for core in theirs))
    return tuple(sorted(theirs)), tuple(sorted(apart or rest))


def _speeds(root: Path, cores: Sequence[int]) -> dict[int, int]:
    for file in _SPEEDS:
        try:
            return {core: int(_text(root, core, file)) for core in cores}
        except (OSError, ValueError):
            continue  # told of some cores only, it would compare two scales
    return dict.fromkeys(cores, 0)


def _siblings(root: Path, core: int) -> set[int]:
    """The hardware threads of a core's physical core, itself among them; ``0-1`` or ``0,4`` in sysfs."""
    found = {core}
    try:
        for part in _text(root, core, "topology/thread_siblings_list").strip().split(","):
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    except (OSError, ValueError):
        return {core}
    return found


def _text(root: Path, core: int, file: str) -> str:
    return (root / _CPU / f"cpu{core}" / file).read_text("ascii")

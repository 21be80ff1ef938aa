"""What an archive holds, in a few lines, for whoever is asked whether it may be written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

# The first that a path begins with.
_GROUPS = (
    (r"telemetry\.jsonl", "readings of five seconds"),
    (r"commands/|devices/", "what commands and the firmware answer"),
    (r"sys-root/sys/class/(powercap|hwmon|thermal)/|sys-root/sys/bus/", "power and temperatures (/sys)"),
    (r"sys-root/sys/devices/system/cpu/|sys-root/sys/class/devfreq/", "clocks and cores (/sys)"),
    (
        r"sys-root/(etc|var|sys/firmware|sys/class/dmi|sys/hypervisor|proc/driver|proc/sys)/",
        "which board it is (/etc, device tree, DMI)",
    ),
    (r"sys-root/", "memory, load, our own processes (/proc, cgroups)"),
    (r"", "errors and durations of every read"),
)


def listing(contents: Mapping[str, bytes], replaced: Mapping[str, int], kept: tuple[str, ...]) -> list[str]:
    """A line a group of files, what was taken out, and what was not though it is a name."""
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for path, data in contents.items():
        name = next(name for pattern, name in _GROUPS if re.match(pattern, path))
        files[name] += 1
        sizes[name] += len(data)
    lines = [f"{_files(files[name]):>9} {sizes[name]:>8} bytes  {name}" for _, name in _GROUPS if files[name]]
    taken = [f"{kind.replace('_', ' ')} {_times(count)}" for kind, count in replaced.items() if count]
    lines.append(f"replaced by made-up values: {', '.join(taken) or 'nothing was found'}")
    if kept:
        lines.append(f"not replaced, being words that systems and sensors use: {', '.join(kept)}")
    return lines


def _files(count: int) -> str:
    return "1 file " if count == 1 else f"{count} files"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

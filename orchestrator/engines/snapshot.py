"""What is asked of a machine, copied from a board in one go: its files below a folder here."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.engines.place import Place
from orchestrator.engines.ssh import Broken, Link

_CPU = "sys/devices/system/cpu"
# What recognition, provenance and the doctor read.
FILES = (
    "etc/os-release",
    "etc/machine-id",
    "etc/nv_tegra_release",
    "proc/cpuinfo",
    "proc/meminfo",
    "proc/loadavg",
    "proc/swaps",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/version",
    "proc/sys/kernel/randomize_va_space",
    "proc/sys/kernel/random/boot_id",
    "sys/class/dmi/id/sys_vendor",
    "sys/class/dmi/id/product_name",
    "sys/class/dmi/id/board_name",
    "sys/firmware/devicetree/base/model",
    "sys/firmware/devicetree/base/hypervisor",
    "sys/hypervisor/type",
    "sys/fs/cgroup/*",
    "sys/class/thermal/thermal_zone*/type",
    "sys/class/thermal/thermal_zone*/temp",
    "sys/class/hwmon/hwmon*/name",
    "sys/class/hwmon/hwmon*/temp1_input",
    f"{_CPU}/cpu[0-9]*/cpu_capacity",
    f"{_CPU}/cpu[0-9]*/cpufreq/cpuinfo_max_freq",
    f"{_CPU}/cpu[0-9]*/topology/thread_siblings_list",
    f"{_CPU}/cpu0/cpufreq/scaling_governor",
    f"{_CPU}/cpufreq/policy*/scaling_governor",
    f"{_CPU}/cpufreq/policy*/scaling_min_freq",
    f"{_CPU}/cpufreq/policy*/scaling_max_freq",
    f"{_CPU}/cpufreq/boost",
    f"{_CPU}/intel_pstate/no_turbo",
    f"{_CPU}/smt/control",
    f"{_CPU}/isolated",
    f"{_CPU}/nohz_full",
    "sys/class/devfreq/*/min_freq",
    "sys/class/devfreq/*/max_freq",
    "etc/nvpmodel.conf",
    "var/lib/nvpmodel/status",
    "var/lib/inferometer/tune-journal.json",
    "proc/driver/nvidia/version",
    "proc/driver/nvidia/gpus/*/information",
)
# Runs there, on Python 3.6 and later. Files of sysfs are read with os.read: some answer "try again".
_SCRIPT = """
import glob, io, json, os, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
def add(name, data, folder=False):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o755 if folder else 0o644
    entry.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    out.addfile(entry, io.BytesIO(data))
for pattern in sys.argv[1:]:
    for path in sorted(glob.glob("/" + pattern)):
        if os.path.isdir(path):
            add(path[1:], b"", True)
            continue
        try:
            handle = os.open(path, os.O_RDONLY)
            try:
                data = b""
                while True:
                    part = os.read(handle, 65536)
                    data += part
                    if not part or len(data) > 1 << 20:
                        break
            finally:
                os.close(handle)
        except OSError:
            continue
        add(path[1:], data)
facts = {"arch": os.uname().machine, "cores": sorted(os.sched_getaffinity(0))}
add("place.json", json.dumps(dict(facts, python=sys.version.split()[0])).encode())
out.close()
"""
_OLDEST = (3, 6)


def take(link: Link, folder: Path) -> Place:
    """Copy and describe. Raises InferometerError with the fix where the board has no usable Python."""
    try:
        archive = link.python(_SCRIPT, *FILES)
    except (Broken, InferometerError) as problem:
        raise InferometerError(
            f"{problem}; the board needs python3 (3.6 or newer): apt-get install python3"
        ) from None
    with tarfile.open(fileobj=io.BytesIO(archive)) as stream:
        for entry in stream:
            path = folder / entry.name
            if ".." in path.parts or not path.is_relative_to(folder):
                raise InferometerError(f"{link.who} answers with a file {entry.name}; look at its python3")
            data = stream.extractfile(entry)
            (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
            if data:
                path.write_bytes(data.read())
    facts = json.loads((folder / "place.json").read_bytes())
    if tuple(map(int, facts["python"].split(".")[:2])) < _OLDEST:
        raise InferometerError(f"{link.who}: its python3 is {facts['python']}, telemetry needs 3.6 or newer")
    return Place(folder, facts["arch"], tuple(facts["cores"]), remote=True)

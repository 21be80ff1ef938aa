"""What lets figures of a machine wander: moving clocks, swap, random addresses, other work.

It is told always and changed by ``--tune`` alone (docs/adr/0012-tuning.md). Formats: the kernel's
``cpu-freq/user-guide.rst``, ``cputopology.rst``, ``proc.rst``; power modes see power_modes.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.environment.host import ROOT, Host, Unknown, gather
from orchestrator.environment.power_modes import power_mode

CPU = "sys/devices/system/cpu"
NO_TURBO, BOOST = f"{CPU}/intel_pstate/no_turbo", f"{CPU}/cpufreq/boost"
ASLR = "proc/sys/kernel/randomize_va_space"
_PREEMPTION = ("PREEMPT_RT", "PREEMPT_DYNAMIC", "PREEMPT")


@dataclass(frozen=True)
class Swap:
    """One line of ``/proc/swaps``; ``zram``: it is compressed memory and no disk."""

    device: str
    kind: str  # partition, file
    size_bytes: int
    used_bytes: int
    priority: int
    zram: bool


def isolation_of(root: Path = ROOT) -> dict[str, Any]:
    """See :func:`isolation`, of the machine whose files lie below ``root``."""
    return isolation(Host(root))


def isolation(host: Host) -> dict[str, Any]:
    """The facts, each None where the machine does not tell, and why under its name in ``reasons``.

    ``governors`` by clock domain; ``clocks_locked``: whether least and greatest clock are equal, by domain;
    ``aslr`` 0 (off) to 2; ``isolated_cores`` and ``nohz_full_cores`` as the kernel was started with.
    """
    found, reasons = gather(
        {
            "governors": lambda: _governors(host),
            "turbo": lambda: turbo(host),
            "nvpmodel": lambda: power_mode(host),
            "clocks_locked": lambda: _locked(host),
            "swaps": lambda: [asdict(item) for item in swaps(host)],
            "aslr": lambda: int(host.text(ASLR)),
            "smt": lambda: host.text(f"{CPU}/smt/control"),
            "isolated_cores": lambda: _cores(host, f"{CPU}/isolated"),
            "nohz_full_cores": lambda: _cores(host, f"{CPU}/nohz_full"),
            "preemption": lambda: _preemption(host),
            "load_average": lambda: [float(word) for word in host.text("proc/loadavg").split()[:3]],
        }
    )
    return {**found, "reasons": reasons}


def policies(host: Host) -> list[str]:
    """The folders of the processor's clock domains. Raises Unknown without any."""
    found = host.folders(f"{CPU}/cpufreq/policy*")
    if not found:
        raise Unknown(f"/{CPU}/cpufreq: no clock domain (a virtual machine, often)")
    return found


def turbo(host: Host) -> bool:
    """Whether clocks above the rated one are allowed, by whichever driver there is. Raises Unknown."""
    try:
        return host.text(NO_TURBO) == "0"
    except Unknown:
        return host.text(BOOST) == "1"


def clocks(host: Host) -> dict[str, tuple[int, int] | None]:
    """(least, greatest) clock allowed by domain: ``cpu.policy0`` in kHz, ``devfreq.NAME`` in Hz.

    None where a domain does not tell. Raises Unknown without any domain.
    """
    kinds = (
        ("cpu", f"{CPU}/cpufreq/policy*", "scaling_min_freq", "scaling_max_freq"),
        ("devfreq", "sys/class/devfreq/*", "min_freq", "max_freq"),
    )
    found: dict[str, tuple[int, int] | None] = {}
    for kind, pattern, low, high in kinds:
        for folder in host.folders(pattern):
            name = f"{kind}.{folder.rpartition('/')[2]}"
            try:
                found[name] = int(host.text(f"{folder}/{low}")), int(host.text(f"{folder}/{high}"))
            except (Unknown, ValueError):
                found[name] = None
    if not found:
        raise Unknown(f"/{CPU}/cpufreq, /sys/class/devfreq: no clock domain (a virtual machine, often)")
    return found


def swaps(host: Host) -> list[Swap]:
    """Each swap in use; none is an empty list. Raises Unknown."""
    found = []
    for line in host.text("proc/swaps").splitlines()[1:]:
        name, kind, size, used, priority = line.split()
        device = name.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        zram = device.startswith("/dev/zram")
        found.append(Swap(device, kind, int(size) * 1024, int(used) * 1024, int(priority), zram))
    return found


def _governors(host: Host) -> dict[str, str]:
    return {path.rpartition("/")[2]: host.text(f"{path}/scaling_governor") for path in policies(host)}


def _locked(host: Host) -> dict[str, bool | None]:
    return {name: pair and pair[0] == pair[1] for name, pair in clocks(host).items()}


def _cores(host: Host, path: str) -> list[int]:
    """A list of the kernel's: ``2-3,6``; nothing, or ``(null)`` of older ones, is none."""
    text, found = host.content(path), list[int]()
    for part in text.split(",") if text not in ("", "(null)") else []:
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _preemption(host: Host) -> str:
    """How the kernel was built (``uname -v``): RT, DYNAMIC, full, or none of these words."""
    words = host.text("proc/sys/kernel/version").split()
    return next((word for word in _PREEMPTION if word in words), "none")

"""A Jetson's power modes. Numbers mean another mode on each board, so a mode is known by its name."""

from __future__ import annotations

import re

from orchestrator.environment.host import Host, Unknown

STATUS = "var/lib/nvpmodel/status"  # pmode:0002 fmode:fan_mode_quiet
TABLE = "etc/nvpmodel.conf"  # < POWER_MODEL ID=2 NAME=MAXN_SUPER >
_MODE = re.compile(r"^\s*<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+?)\s*>", re.MULTILINE)
_PRESENT = re.compile(r"\bpmode:(\d+)")


def power_modes(host: Host) -> dict[str, int]:
    """The numbers of all modes by name. Raises Unknown where there are none."""
    found = {name: int(number) for number, name in _MODE.findall(host.text(TABLE))}
    if not found:
        raise Unknown(f"/{TABLE}: has no POWER_MODEL")
    return found


def power_mode_number(host: Host) -> int:
    """The present mode's number. Raises Unknown."""
    present = _PRESENT.search(host.text(STATUS))
    if not present:
        raise Unknown(f"/{STATUS}: has no pmode")
    return int(present[1])


def power_mode(host: Host) -> str:
    """The present mode's name. Raises Unknown, also when the table lacks its number."""
    number = power_mode_number(host)
    for name, other in power_modes(host).items():
        if other == number:
            return name
    raise Unknown(f"/{TABLE}: has no mode {number}")

"""What would tell whose machine it was, and its constant stand-ins."""

from __future__ import annotations

import ipaddress
import os
import pwd
import re
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.probe.kernel import CONTROL_GROUP, KERNEL_ARGUMENT, ControlGroups, arguments
from orchestrator.probe.names import is_common, place

NAMES = {"hostname": "host name", "user": "user name"}
STAND_INS = {
    "hostname": "board",
    "user": "user",
    "machine_id": "0123456789abcdef0123456789abcdef",
    "boot_id": "11111111-2222-4333-8444-555555555555",
    "serial_number": "0000000000000000",
    "mac_address": "02:00:00:00:00:00",
    "ip_address": "192.0.2.1",
    "ipv6_address": "2001:db8::1",
    "identifier": "0" * 64,
    "kernel_argument": KERNEL_ARGUMENT,
    "control_group": CONTROL_GROUP,
    "boot_time": "1700000000",
    "owner": "1000",
}
_EVERYBODYS = {"root", "localhost", "nobody", ""}
_SERIALS = (
    "sys/firmware/devicetree/base/serial-number",
    "sys/class/dmi/id/product_serial",
    "sys/class/dmi/id/product_uuid",
    "sys/class/dmi/id/board_serial",
    "sys/class/dmi/id/chassis_serial",
)
_PATTERNS = {
    "boot_id": r"(?i)(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])",
    "mac_address": r"(?i)(?<![0-9a-z:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![0-9a-z:])",
    "ip_address": r"(?<![\w.])(?!127\.0\.0\.1|0\.0\.0\.0)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}"
    r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])",
    "identifier": r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])",
    "machine_id": r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])",
    "boot_time": r"(?m)(?<=^btime )\d+",
    "serial_number": r"(?m)(?<=^Serial\t\t: )\S+",
}


@dataclass
class Anonymiser:
    """Replaces known words and known shapes; ``times`` counts how often, by kind.

    ``systems``: more words that are nobody's name, such as the distribution's id.
    """

    words: dict[str, set[str]]
    systems: frozenset[str] = frozenset()
    times: Counter[str] = field(default_factory=Counter)
    _groups: ControlGroups = field(default_factory=ControlGroups)

    def kept(self) -> list[str]:
        """Names that stay, as whoever sends the archive must know: ``host name 'debian'``."""
        return [
            f"{said} {name!r}"
            for kind, said in NAMES.items()
            for name in sorted(self.words.get(kind, ()))
            if is_common(name, self.systems)
        ]

    def path(self, path: str) -> str:
        """A path without numbers and groups of anybody."""
        path = self._groups.path(path)
        self.times["control_group"] = self._groups.replaced
        return self._clean(path)

    def content(self, path: str, data: bytes) -> bytes:
        """A file's content without them, byte for byte otherwise."""
        text = data.decode("latin-1")
        if path.endswith("proc/cmdline"):
            text, self.times["kernel_argument"] = arguments(text)
        text = self._groups.content(path, text)
        self.times["control_group"] = self._groups.replaced
        part = place(path)
        if part:
            text = part.sub(lambda match: self._without(match.group(), NAMES), text)
        return self._clean(text).encode("latin-1")

    def _clean(self, text: str) -> str:
        text = self._without(text, self.words.keys() - NAMES)
        for kind, pattern in _PATTERNS.items():
            text = self._replace(pattern, kind, text)
        return text

    def _without(self, text: str, kinds: Iterable[str]) -> str:
        for kind in sorted(kinds):
            for word in sorted(self.words.get(kind, ()), key=len, reverse=True):
                if kind not in NAMES or not is_common(word, self.systems):
                    text = self._replace(rf"(?<![0-9A-Za-z_]){re.escape(word)}(?![0-9A-Za-z_])", kind, text)
        return text

    def _replace(self, pattern: str, kind: str, text: str) -> str:
        stand_in = STAND_INS[kind]

        def replaced(match: re.Match[str]) -> str:
            self.times[kind] += match.group() != stand_in
            return stand_in

        return re.sub(pattern, replaced, text)


def identifying(root: Path = Path("/")) -> dict[str, set[str]]:
    """The words of this machine, by kind: names of it and its people, ids, serial numbers, addresses."""
    people = {entry.pw_name for entry in pwd.getpwall() if 1000 <= entry.pw_uid < 60000}
    people |= {os.environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
    names = {socket.gethostname(), _text(root, "etc/hostname")}
    addresses = set(_lines(root, "sys/class/net", "address"))
    return {
        "machine_id": _known([_text(root, "etc/machine-id"), _text(root, "var/lib/dbus/machine-id")]),
        "boot_id": _known([_text(root, "proc/sys/kernel/random/boot_id")]),
        "serial_number": {word for path in _SERIALS if (word := _text(root, path)) and _is_serial(word)},
        "mac_address": _known(form for word in addresses for form in (word, word.replace(":", ""))),
        "ipv6_address": _ipv6(root),
        "hostname": {*names, *(name.partition(".")[0] for name in names)} - _EVERYBODYS,
        "user": people - _EVERYBODYS,
    }


def system_ids(root: Path = Path("/")) -> frozenset[str]:
    """What the distribution calls itself and those before it: ``ID`` and ``ID_LIKE`` of os-release(5)."""
    found = re.findall(r"(?m)^ID(?:_LIKE)?=(.*)$", _text(root, "etc/os-release"))
    return frozenset(re.findall("[a-z]+", " ".join(found).lower()))


def _known(words: Iterable[str]) -> set[str]:
    """Without the empty ones and those of zeros, which many machines have."""
    return {word for word in words if word.strip("0:-")}


def _is_serial(word: str) -> bool:
    """Not what firmware has where nobody filled it in: ``Not Specified``, ``None``, ``0``."""
    return len(word) >= 6 and " " not in word and any(map(str.isdigit, word)) and bool(word.strip("0"))


def _ipv6(root: Path) -> set[str]:
    found = set()
    for line in _text(root, "proc/net/if_inet6").splitlines():
        address = ipaddress.IPv6Address(int(line.split()[0], 16))
        if not address.is_loopback:
            found |= {str(address), address.exploded}
    return found


def _lines(root: Path, folder: str, name: str) -> Iterable[str]:
    try:
        entries = sorted(path.name for path in (root / folder).iterdir())
    except OSError:
        return []
    return [_text(root, f"{folder}/{entry}/{name}") for entry in entries]


def _text(root: Path, path: str) -> str:
    try:
        return (root / path).read_text("utf-8", "replace").strip(" \t\r\n\0")
    except OSError:
        return ""

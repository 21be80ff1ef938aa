"""Names of a machine and its people: where they may stand, and which are everybody's words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.probe.paths import COMMANDS, FILES, STREAMS

# A machine or a user called so tells nobody's name, and the same word is in what systems and sensors say.
_SYSTEMS = """
    debian ubuntu raspbian raspberrypi raspberry pi rpi raspios fedora centos rhel rocky almalinux arch
    archlinux alpine manjaro opensuse suse gentoo nixos mint linuxmint kali armbian dietpi yocto poky amzn
    oracle gnu linux nvidia jetson tegra orin nano xavier agx nx intel amd arm broadcom qualcomm rockchip dell
    hp lenovo asus python sh bash dash zsh fish sudo su make systemd init tmux screen sshd containerd
    inferometer telemetry user board server desktop generic
"""
_WORD = re.compile(r"[^\W\d_]+")
_OURS = [*FILES, *(word for command in (*COMMANDS, *(words for words, _ in STREAMS)) for word in command)]
_COMMON = frozenset({*_SYSTEMS.split(), *(word for text in _OURS for word in _WORD.findall(text.lower()))})
# Which files may name somebody, and what of them; everything else has the words of a kernel, a firmware, a
# distribution or our own.
_PLACES = (
    (re.compile(r"commands/"), re.compile(r"(?s).+")),
    (re.compile(r"sys-root/(proc/swaps$|var/lib/inferometer/)"), re.compile(r"/[^\s\"]+")),
    (re.compile(r"sys-root/proc/\d+/stat$"), re.compile(r"\(.*\)")),
    (re.compile(r"sys-root/proc/\d+/status$"), re.compile(r"(?m)(?<=^Name:\t).*$")),
)


def is_common(name: str, systems: Iterable[str] = ()) -> bool:
    """Whether a name is made of words of systems and sensors alone; ``systems``: more of them."""
    return set(_WORD.findall(name.lower())) <= {*_COMMON, *systems}


def place(path: str) -> re.Pattern[str] | None:
    """What of a file may name somebody; None where nothing does."""
    return next((part for files, part in _PLACES if files.match(path)), None)

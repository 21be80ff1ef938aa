"""The one door to the machine for facts: text files below a root, and commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path("/")
DMI = "sys/class/dmi/id"
DEVICE_TREE = "sys/firmware/devicetree/base/model"
TEGRA_RELEASE = "etc/nv_tegra_release"


class Unknown(Exception):
    """A fact this machine does not tell; the text is the reason."""


def run_command(words: Sequence[str]) -> str:
    """The standard output of a command. Raises Unknown when it fails, with its last line of complaint."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Unknown(f"{words[0]}: {problem}") from None
    if done.returncode:
        complaint = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Unknown(f"{words[0]}: {complaint[-1]}")
    return done.stdout


def gather(makers: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """(facts, reasons): each fact from its maker, or None and the reason under the same name."""
    found: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Unknown as problem:
            found[name], reasons[name] = None, str(problem)
        except (ValueError, LookupError) as problem:
            found[name], reasons[name] = None, f"not as expected: {problem}"
    return found, reasons


class Host:
    """Text files below a root; every failure is Unknown with the file's name."""

    def __init__(self, root: Path):
        self._root = root

    def text(self, path: str) -> str:
        """A file without surrounding blanks. Raises Unknown when it is absent, closed or empty."""
        text = self.content(path)
        if not text:
            raise Unknown(f"/{path}: empty")
        return text

    def content(self, path: str) -> str:
        """The same for a file in which nothing means none: it may be empty. Raises Unknown."""
        try:
            handle = os.open(self._root / path, os.O_RDONLY)
            try:
                data = b""
                while chunk := os.read(handle, 1 << 16):
                    data += chunk
            finally:
                os.close(handle)
        except OSError as problem:
            raise Unknown(f"/{path}: {problem.strerror}") from None
        return data.decode("utf-8", "replace").strip(" \t\r\n\0")

    def folders(self, pattern: str) -> list[str]:
        """Paths below the root that match a pattern, in order."""
        return sorted(str(path.relative_to(self._root)) for path in self._root.glob(pattern))

    def fields(self, path: str, separator: str) -> dict[str, str]:
        """``name: value`` lines; the first of several equal names counts. Raises Unknown."""
        found: dict[str, str] = {}
        for line in self.text(path).splitlines():
            name, _, value = line.partition(separator)
            found.setdefault(name.strip(), value.strip().strip('"'))
        return found

    def field(self, path: str, separator: str, *names: str) -> str:
        """The first of the named fields that is there. Raises Unknown."""
        fields = self.fields(path, separator)
        for name in names:
            if fields.get(name):
                return fields[name]
        raise Unknown(f"/{path}: has no {' or '.join(names)}")

    def kilobytes(self, path: str, name: str) -> int:
        """A ``name:  123 kB`` line in bytes. Raises Unknown."""
        return int(self.field(path, ":", name).split()[0]) * 1024

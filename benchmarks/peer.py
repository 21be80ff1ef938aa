"""Peers made ready: a virtual environment in the cache for each file of ``peers/``."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


class PeerAbsent(Exception):
    """A peer that cannot be had here, and why."""


def python(cache: Path, name: str) -> Path:
    """The interpreter where ``peers/<name>.txt`` is installed, made once per content.

    Raises PeerAbsent with pip's last line.
    """
    requirements = HERE / "peers" / f"{name}.txt"
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / "benchmarks" / f"{name}-{key}"
    made = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(made), *install, "-r", str(requirements)],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise PeerAbsent(([*done.stderr.splitlines(), *done.stdout.splitlines()] or ["pip"])[-1])
        (folder / "complete").touch()
    return made

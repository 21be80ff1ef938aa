"""The wheels that requirements.lock asks for on another machine, for each Python it may have."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.domain import InferometerError

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
# Tags of glibc versions, the oldest first: pip takes the first that fits, which most boards can load.
_GLIBC = range(17, 37)


def collect(
    lock: Path, platform: str, cache: Path, progress: Callable[[str], None]
) -> dict[str, dict[str, Path]]:
    """Python version -> name -> wheel, each checked by pip against the lock's hashes.

    What was downloaded before for the same lock is taken from the cache. Raises InferometerError.
    """
    if platform not in _MACHINES:
        raise InferometerError(f"there are no wheels for {platform}; known: {', '.join(_MACHINES)}")
    text = lock.read_text("utf-8")
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    found = {}
    for python in PYTHONS:
        folder = cache / "wheels" / f"{key}-{_MACHINES[platform]}" / python
        if not folder.exists():
            progress(f"downloading wheels for Python {python} on {platform} (once)")
            _download(select(text, python, _MACHINES[platform]), python, _MACHINES[platform], folder)
        found[python] = {path.name: path for path in sorted(folder.glob("*.whl"))}
    return found


def select(lock: str, python: str, machine: str) -> str:
    """The lock's requirements that hold on this target, without their markers.

    pip's --platform chooses files but evaluates markers for the machine it runs on.
    """
    from pip._vendor.packaging.markers import Marker

    target = _environment(python, machine)
    kept = []
    for entry in re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n?", "", lock, flags=re.MULTILINE)):
        match = re.match(r"([^\s;]+)\s*(?:;\s*(.*?))?\s*\\?\n", entry + "\n")
        if match and (not match.group(2) or Marker(match.group(2)).evaluate(dict(target))):
            hashes = re.findall(r"--hash=\S+", entry)
            kept.append(" ".join([match.group(1), *hashes]) + "\n")
    return "".join(kept)


def _environment(python: str, machine: str) -> Mapping[str, str]:
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def _download(requirements: str, python: str, machine: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as temporary:
        listed, made = Path(temporary) / "requirements.txt", Path(temporary) / "wheels"
        listed.write_text(requirements)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--python-version", python]
        tags = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC] + [f"manylinux2014_{machine}"]
        command += [word for tag in tags for word in ("--platform", tag)]
        command += ["--dest", str(made), "--requirement", str(listed)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            cause = (errors or done.stderr.splitlines() or ["it said nothing"])[0].removeprefix("ERROR: ")
            raise InferometerError(
                f"pip found no wheels for Python {python} on {machine}: {cause}; "
                "is the package index reachable?"
            )
        if not folder.exists():  # another bundle may have been quicker
            os.rename(made, folder)

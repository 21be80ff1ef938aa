"""Virtual environments for the process engine: named by their content, made once."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.engines import host_settings
from orchestrator.files import alone

Progress = Callable[[str], None]
_FILE = "requirements.txt"
# Installed last and without their dependencies, where a folder has it.
_FILE_WITHOUT_DEPENDENCIES = "requirements-nodeps.txt"
_MARK = "complete"


def location(name: str, folder: Path, cache: Path, further: Sequence[Path] = ()) -> Path:
    """``<cache>/venvs/<name>-<hash>`` over the pinned requirements, the Python and the processor."""
    digest = hashlib.sha256()
    for path in _files(folder, further):
        digest.update(path.read_bytes() + b"\0")
    digest.update(f"{sys.implementation.cache_tag} {platform.machine()}".encode())
    return cache / "venvs" / f"{name}-{digest.hexdigest()[:12]}"


def _files(folder: Path, further: Sequence[Path]) -> list[Path]:
    if not (folder / _FILE).is_file():
        raise InferometerError(f"{folder / _FILE} is missing; add it (an empty one installs nothing)")
    return [
        path for path in (folder / _FILE, folder / _FILE_WITHOUT_DEPENDENCIES, *further) if path.is_file()
    ]


def ensure(name: str, folder: Path, cache: Path, progress: Progress, further: Sequence[Path] = ()) -> Path:
    """The Python of an environment with what ``folder``'s requirements pin, through the user's pip settings.

    ``further``: more files of requirements.

    Raises InferometerError naming the log and the fix. An interrupted one is made anew.
    """
    path = location(name, folder, cache, further)
    python = path / "bin" / "python"
    if (path / _MARK).exists():
        return python
    with alone(path.with_name(path.name + ".lock")):
        if not (path / _MARK).exists():  # another process may have made it meanwhile
            shutil.rmtree(path, ignore_errors=True)
            log = cache / "logs" / f"venv-{name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            _make(name, _files(folder, further), path, log, progress)
            (path / _MARK).touch()
    return python


def _make(name: str, files: Sequence[Path], path: Path, log: Path, progress: Progress) -> None:
    # Without pip: the suite's own one installs into it, also where Python came without ensurepip.
    with log.open("wb") as stream:
        _run([sys.executable, "-m", "venv", "--without-pip", str(path)], stream.fileno(), name, log)
        for file in files:
            wanted = host_settings.read_requirements(file)
            names = [
                re.split(r"[\s=<>!~;\[]", line)[0] for line in wanted.lines if line and line[0] not in "#-"
            ]
            names = list(dict.fromkeys(names))
            if not names:
                continue
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            progress(f"installing {', '.join(names[:3])}{more} for {name} (once; its output: {log})")
            _install(name, path, file, wanted, stream.fileno(), log)


def _install(
    name: str, path: Path, file: Path, wanted: host_settings.Requirements, stream: int, log: Path
) -> None:
    ca = host_settings.ca_bundle({})
    indexes = [url for url in wanted.extra_indexes if host_settings.reachable(url, ca)]
    command = [sys.executable, "-m", "pip", "--python", str(path / "bin" / "python"), "install"]
    command += ["--disable-pip-version-check", "--prefer-binary", "--progress-bar", "off"]
    command += [option for url in indexes for option in ("--extra-index-url", url)]
    command += ["--no-deps"] if file.name == _FILE_WITHOUT_DEPENDENCIES else []
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as filtered:
        # An index out of reach would cost pip minutes of retries for every package.
        filtered.write("\n".join(wanted.lines) + "\n")
        filtered.flush()
        left_out = [url for url in wanted.extra_indexes if url not in indexes]
        hint = host_settings.out_of_reach(left_out)
        _run([*command, "-r", filtered.name], stream, name, log, hint)


def _run(command: list[str], stream: int, name: str, log: Path, hint: str = "") -> None:
    status = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    if status != 0:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if line.startswith("ERROR:")] or lines or [f"exit status {status}"]
        raise InferometerError(
            f"the environment of {name} could not be made: {errors[-1]}{hint}; the whole output: {log}"
        )
